// The session's tree of files, seen from outside of it: the keeper's own root is the host's.
//
// Everything is reached by descriptors. It does not cover: what a caller means by a path (resolve.hpp), and what
// policy says of one (judge.hpp).
#pragma once

#include <sys/stat.h>

#include <cstdint>
#include <mutex>
#include <shared_mutex>
#include <string>
#include <vector>

#include "daemon/keeper/caller.hpp"
#include "platform/fd.hpp"

namespace reeve::keeper {

// openat2(2) with O_CLOEXEC. `resolve` is of RESOLVE_*.
Or<platform::Fd> open_at(int directory, const char* path, std::uint64_t flags, std::uint64_t resolve,
                         mode_t mode = 0);

// An object that is held, and where it is.
struct Seen {
    struct statx status {};
    std::string path;      // the kernel's; not absolute for what has no place in a tree ("pipe:[1]")
    bool deleted = false;  // it has no name any more; `path` is the one that it had
    bool inside = false;   // it is on a mount of the session
    bool is(mode_t type) const { return (status.stx_mode & S_IFMT) == type; }
};

class Tree {
  public:
    // `root` is an O_PATH descriptor on the root of the session's mount namespace.
    explicit Tree(platform::Fd root);

    int root() const { return root_.get(); }

    // Where an O_PATH descriptor's object is at this moment. ENAMETOOLONG where the path is longer than PATH_MAX.
    Or<Seen> look(int fd) const;

    // A directory entry of /proc/self/fd, by which a held object is named to calls that take only paths:
    // openat(links(), link_of(fd).text, …) reopens the very object.
    int links() const { return links_.get(); }
    struct Link {
        char text[12];
    };
    static Link link_of(int fd);

    // Takes note of the mount that `path` is on, for objects on it that have no name by which it could be checked.
    void learn(const std::string& path);

  private:
    static Or<struct statx> status_of(int fd);
    Or<struct statx> status_at(const std::string& path) const;
    bool is_deleted(const Seen& seen) const;
    bool holds(std::uint64_t mount, const std::string& path) const;
    void learn(std::uint64_t mount) const;

    platform::Fd root_, links_;
    mutable std::shared_mutex mutex_;
    mutable std::vector<std::uint64_t> mounts_;  // ids of those that are known to be the session's
};

}  // namespace reeve::keeper
