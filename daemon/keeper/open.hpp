// An open as asked for, checked as the kernel checks it before it looks at any path.
#pragma once

#include <fcntl.h>
#include <sys/types.h>

#include "daemon/keeper/calls.hpp"

namespace reeve::keeper {

inline constexpr int kTmpfile = 020000000;  // __O_TMPFILE

struct Wanted {
    int directory = AT_FDCWD;
    std::string path;
    int flags = 0;
    mode_t mode = 0;

    bool creates() const { return (flags & O_CREAT) != 0; }
    bool exclusive() const { return creates() && (flags & O_EXCL) != 0; }
    bool temporary() const { return (flags & kTmpfile) != 0; }
    bool writable() const { return (flags & O_ACCMODE) != O_RDONLY; }
    bool readable() const { return (flags & O_ACCMODE) != O_WRONLY; }
    bool truncates() const { return (flags & O_TRUNC) != 0; }
    bool changes() const { return writable() || truncates() || creates() || temporary(); }
    bool follows() const { return (flags & O_NOFOLLOW) == 0 && !exclusive(); }

    // 0, or EINVAL as open(2) has it.
    int check() const;
};

}  // namespace reeve::keeper
