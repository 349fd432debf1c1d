#include "daemon/session/trust.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>

#include "daemon/session/hash.hpp"

namespace reeve::session {
namespace {

using platform::error;
using platform::Fd;
using platform::os_error;
using platform::Result;

constexpr const char* kTodo = "install it as root, where only root can write";

// Root's, and for nobody else to write. A sticky directory is not good enough: who owns a file in it can rename it.
bool only_root_writes(const struct stat& status) {
    return status.st_uid == 0 && (status.st_mode & 022) == 0;
}

platform::Status check_folders(const std::string& path) {
    for (std::filesystem::path folder = std::filesystem::path(path).parent_path();;
         folder = folder.parent_path()) {
        struct stat status {};
        if (::lstat(folder.c_str(), &status) != 0) return os_error("look at", folder);
        if (!S_ISDIR(status.st_mode) || !only_root_writes(status))
            return error("trust", path, "others than root can write " + folder.string(), kTodo);
        if (folder == folder.root_path()) return {};
    }
}

Result<std::string> check_one(const Executable& file, const policy::TrustAnchor& anchor,
                              const std::string& certificates) {
    if (!anchor.sha256.empty()) {
        if (std::ranges::find(anchor.sha256, file.sha256) != anchor.sha256.end())
            return std::string("sha256");
        return error("trust", file.path, "its SHA-256 " + file.sha256 + " is not one of those in the policy");
    }
    if (!anchor.package.empty()) return check_package(file, anchor.package);
    return check_signature(
        file, anchor.signer.starts_with('/') ? anchor.signer : certificates + "/" + anchor.signer);
}

}  // namespace

Result<Executable> open_trusted(const std::string& path) {
    Executable executable{.path = path,
                          .file = Fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK)),
                          .sha256 = {}};
    if (!executable.file) return os_error("open", path);
    struct stat status {};
    if (::fstat(executable.file.get(), &status) != 0) return os_error("look at", path);
    if (!S_ISREG(status.st_mode)) return error("trust", path, "it is not a regular file");
    if (!only_root_writes(status)) return error("trust", path, "others than root can write it", kTodo);
    if (auto s = check_folders(path); !s) return std::unexpected(s.error());
    auto hash = file_hash(executable.file, Hash::kSha256);
    if (!hash) return std::unexpected(hash.error());
    executable.sha256 = std::move(*hash);
    return executable;
}

Result<std::string> check_trust(const std::vector<Executable>& files,
                                const std::vector<policy::TrustAnchor>& anchors,
                                const std::string& certificates) {
    std::string why;
    for (const policy::TrustAnchor& anchor : anchors) {
        std::string how;
        for (std::size_t i = 0; i < files.size(); ++i) {
            auto held = check_one(files[i], anchor, certificates);
            // The interpreter (first of two) is what the system has; the agent is its script.
            if (!held && i + 1 < files.size() && !owning_packages(files[i].path).empty()) continue;
            if (!held) {
                why += (why.empty() ? "" : "; ") + held.error().why;
                how.clear();
                break;
            }
            how = *held;
        }
        if (!how.empty()) return how;
    }
    return error("trust", files.empty() ? "" : files.back().path,
                 why.empty() ? "the policy names no way to trust it" : why,
                 "see the agent's \"trust\" in the policy");
}

}  // namespace reeve::session
