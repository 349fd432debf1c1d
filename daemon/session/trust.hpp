// Whether an executable is what a policy says an agent is: its SHA-256, the Debian package that owns it, or a CMS
// signature beside it (FILE.p7s) by a pinned certificate.
//
// Holds only for files that root owns, that nobody else can write, and all of whose folders are so too: what the
// person can write, the agent can exchange. Not covered: RPM packages (refused with that reason), and what the
// program does once it runs.
#pragma once

#include <string>
#include <vector>

#include "platform/fd.hpp"
#include "platform/result.hpp"
#include "policy/document.hpp"

namespace reeve::session {

struct Executable {
    std::string path;    // resolved
    platform::Fd file;   // open for reading
    std::string sha256;  // 64 hex digits
};

// Opens and hashes it. Refused: what others than root could change.
platform::Result<Executable> open_trusted(const std::string& path);

// How it is trusted: "sha256", "package" or "signer", by the first anchor that holds. The Error says why none does.
// `certificates` is the folder that a signer's path is relative to. `files` are the program and, for an interpreter, its
// entry script: the anchor must hold for each, but an interpreter may also be of any package.
platform::Result<std::string> check_trust(const std::vector<Executable>& files,
                                          const std::vector<policy::TrustAnchor>& anchors,
                                          const std::string& certificates);

// The packages that say that they own the path, by dpkg's own files below `root` ("/var/lib/dpkg").
std::vector<std::string> owning_packages(const std::string& path, const std::string& root = "/var/lib/dpkg");

}  // namespace reeve::session
