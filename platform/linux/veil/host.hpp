// The host's tree as the veil reaches it: by descriptors, one component at a time, never through a link, and with the
// kernel's own word for where an object is.
//
// All with the rights of the process, which are the person's. Errors are errno values: they travel to whoever asked.
#pragma once

#include <sys/stat.h>
#include <sys/types.h>

#include <cstdint>
#include <expected>
#include <memory>
#include <string>
#include <string_view>

#include "platform/fd.hpp"
#include "platform/result.hpp"

namespace reeve::platform::veil {

template <class T>
using OrErrno = std::expected<T, int>;

// An O_PATH descriptor that a node and the requests about it share.
using FdRef = std::shared_ptr<const Fd>;

// Which object it is. An inode number can be used again, so that equal means "the same" only as long as a descriptor is
// held; what a name leads to is decided anew in any case.
struct Identity {
    dev_t device = 0;
    ino_t inode = 0;
    mode_t type = 0;  // S_IFMT
    bool operator==(const Identity&) const = default;
};
Identity identity_of(const struct stat& status);

class Host {
  public:
    static Result<Host> open();

    // A directory by its absolute, resolved path; ELOOP where a link is on the way, ENOTDIR where it is something else.
    OrErrno<FdRef> directory(std::string_view path) const;
    // What `name`, one component, is in the directory: a link is opened itself.
    static OrErrno<FdRef> child(int directory, const char* name);
    // Where the object is now, absolute and resolved: the name by which the descriptor was reached, followed through
    // renames. ESTALE where that name is gone, EACCES where no path leads to it.
    OrErrno<std::string> path_of(int fd) const;
    // The same object with other flags; never one that has taken its place. For regular files and directories.
    OrErrno<Fd> reopen(int fd, int flags) const;
    static OrErrno<struct stat> status(int fd);

    // For calls that know paths alone: the object of `fd` is "name" relative to this directory, as a magic link.
    int links() const { return links_.get(); }
    static std::string link(int fd) { return std::to_string(fd); }
    static std::string full_link(int fd) { return "/proc/self/fd/" + std::to_string(fd); }

  private:
    Fd root_, links_;  // "/" and /proc/self/fd
};

// A path and a name in it.
std::string join(std::string_view directory, std::string_view name);

}  // namespace reeve::platform::veil
