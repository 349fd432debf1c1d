#include "platform/linux/veil/filter.hpp"

#include <seccomp.h>

#include <memory>

namespace reeve::platform::veil {
namespace {

constexpr const char* kCalls[] = {
    // requests, answers, reports
    "read", "readv", "write", "writev", "sendmsg", "sendto", "recvmsg", "poll", "ppoll", "close",
    // objects and their attributes
    "openat", "openat2", "readlinkat", "newfstatat", "fstat", "statx", "fstatfs", "faccessat", "faccessat2",
    "getxattr", "listxattr", "getdents64", "lseek", "fcntl", "readlink",
    // bytes
    "pread64", "pwrite64", "pwritev2", "fsync", "fdatasync", "fallocate", "copy_file_range", "ftruncate",
    "truncate",
    // changes
    "mkdirat", "mknodat", "symlinkat", "linkat", "unlinkat", "renameat", "renameat2", "chmod", "fchmodat",
    "fchownat", "utimensat", "setxattr", "removexattr",
    // threads, memory, time, the end
    "futex", "sched_yield", "set_robust_list", "rseq", "gettid", "getpid", "tgkill", "mmap", "munmap",
    "mremap", "mprotect", "madvise", "brk", "clock_gettime", "clock_nanosleep", "nanosleep", "getrandom",
    "rt_sigaction", "rt_sigprocmask", "rt_sigreturn", "sigaltstack", "restart_syscall", "exit", "exit_group"};

}  // namespace

Status enter_filter() {
    const std::unique_ptr<void, decltype(&seccomp_release)> context(::seccomp_init(SCMP_ACT_ERRNO(EPERM)),
                                                                    &seccomp_release);
    if (!context) return os_error("make a system call filter", "", ENOMEM);
    int code = -::seccomp_attr_set(context.get(), SCMP_FLTATR_CTL_TSYNC, 1);
    for (const char* name : kCalls) {
        const int number = ::seccomp_syscall_resolve_name(name);
        // Some are not there on every machine.
        if (code == 0 && number >= 0) code = -::seccomp_rule_add(context.get(), SCMP_ACT_ALLOW, number, 0);
    }
    if (code == 0) code = -::seccomp_load(context.get());
    if (code != 0)
        return os_error("load the system call filter", "", code,
                        "see that the kernel has CONFIG_SECCOMP_FILTER");
    return {};
}

}  // namespace reeve::platform::veil
