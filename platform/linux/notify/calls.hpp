// The system calls that change a tree of files, as data: which of them a session's filter hands to the keeper. And
// connect(), which it only looks at.
//
// The filter (platform/linux/confine/notify_filter.hpp) is compiled from this list, and the keeper has an answer for
// each line of it (a test compares the two). It does not cover: calls that change a file through a descriptor that
// was opened for writing (write, ftruncate, fallocate, mmap: the open was decided on), and what the session's other
// filters refuse (openat2 and io_uring, which hide their arguments; setxattrat, removexattrat, file_setattr).
#pragma once

#include <fcntl.h>
#include <sys/syscall.h>

#include <array>
#include <cstdint>

namespace reeve::platform::notify {

enum class Trap : std::uint8_t {
    always,
    open_flags_1,  // where argument 1 has one of kChangingFlags; in the variant that traps reads, always
    open_flags_2,  // the same for argument 2
};

struct TrappedCall {
    const char* name;  // as libseccomp has it
    int number;
    Trap trap;
};

// Any of these makes an open one that changes something, or hands out a descriptor that can.
inline constexpr std::array<unsigned, 5> kChangingFlags{
    O_WRONLY,  O_RDWR, O_CREAT, O_TRUNC,
    020000000,  // __O_TMPFILE: O_TMPFILE is this one and O_DIRECTORY
};

inline constexpr int kFchmodat2 = 452;  // Linux 6.6; the number is the same on all architectures

inline constexpr auto kTrappedCalls = std::to_array<TrappedCall>({
#ifdef SYS_open  // not on architectures that began with the *at calls
    {"open", SYS_open, Trap::open_flags_1},
    {"creat", SYS_creat, Trap::always},
    {"mkdir", SYS_mkdir, Trap::always},
    {"mknod", SYS_mknod, Trap::always},
    {"rename", SYS_rename, Trap::always},
    {"link", SYS_link, Trap::always},
    {"symlink", SYS_symlink, Trap::always},
    {"unlink", SYS_unlink, Trap::always},
    {"rmdir", SYS_rmdir, Trap::always},
    {"chmod", SYS_chmod, Trap::always},
    {"chown", SYS_chown, Trap::always},
    {"lchown", SYS_lchown, Trap::always},
    {"utime", SYS_utime, Trap::always},
    {"utimes", SYS_utimes, Trap::always},
    {"futimesat", SYS_futimesat, Trap::always},
#endif
#ifdef SYS_renameat
    {"renameat", SYS_renameat, Trap::always},
#endif
    {"openat", SYS_openat, Trap::open_flags_2},
    {"mkdirat", SYS_mkdirat, Trap::always},
    {"mknodat", SYS_mknodat, Trap::always},
    {"renameat2", SYS_renameat2, Trap::always},
    {"linkat", SYS_linkat, Trap::always},
    {"symlinkat", SYS_symlinkat, Trap::always},
    {"unlinkat", SYS_unlinkat, Trap::always},
    {"truncate", SYS_truncate, Trap::always},
    {"fchmod", SYS_fchmod, Trap::always},  // also through a descriptor that was opened for reading
    {"fchmodat", SYS_fchmodat, Trap::always},
    {"fchmodat2", kFchmodat2, Trap::always},
    {"fchown", SYS_fchown, Trap::always},
    {"fchownat", SYS_fchownat, Trap::always},
    {"utimensat", SYS_utimensat, Trap::always},
    {"setxattr", SYS_setxattr, Trap::always},
    {"lsetxattr", SYS_lsetxattr, Trap::always},
    {"fsetxattr", SYS_fsetxattr, Trap::always},
    {"removexattr", SYS_removexattr, Trap::always},
    {"lremovexattr", SYS_lremovexattr, Trap::always},
    {"fremovexattr", SYS_fremovexattr, Trap::always},
    {"umask", SYS_umask, Trap::always},      // changes nothing, but what files are made with
    {"bind", SYS_bind, Trap::always},        // of a unix socket to a path: it makes a name
    {"connect", SYS_connect, Trap::always},  // changes nothing: whose a connection is
});

}  // namespace reeve::platform::notify
