// Makes the veil's mount, as root, before there is anyone to serve it.
//
// It does not cover where it is attached (platform/linux/confine) and who answers (server.hpp). Whoever holds the
// last descriptor of `fuse` keeps the file system alive: it belongs to reeve-veil alone, so that when that ends every
// access fails with ENOTCONN.
#pragma once

#include <sys/types.h>

#include "platform/fd.hpp"
#include "platform/result.hpp"

namespace reeve::platform::veil {

struct Mount {
    Fd fuse;   // /dev/fuse, for the process that serves
    Fd mount;  // detached; its root stands for the host's
};

// nosuid and nodev; every user may enter, the server decides. The pids that requests carry are those of the caller's
// pid namespace. Needs CAP_SYS_ADMIN; an Error with ENOENT or ENODEV where this machine has no FUSE.
Result<Mount> make_mount(uid_t uid, gid_t gid);

}  // namespace reeve::platform::veil
