// A directory that a client handed over by descriptor, with the one name that the kernel has for it.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <string>

#include "platform/fd.hpp"
#include "platform/result.hpp"

namespace reeve::session {

struct Directory {
    std::string path;  // absolute and resolved, in the daemon's mount namespace
    std::uint64_t device = 0, inode = 0;
    uid_t owner = 0;
};

// What the descriptor stands for. Refused: what is no directory, has been removed, or has no path here (another mount
// namespace). `what` is for errors: "the workspace".
platform::Result<Directory> directory_of(const platform::Fd& fd, const std::string& what);

// Whether `path` is `base` or below it.
bool is_within(const std::string& path, const std::string& base);

}  // namespace reeve::session
