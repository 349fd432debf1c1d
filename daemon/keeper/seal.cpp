#include "daemon/keeper/seal.hpp"

#include <errno.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <stddef.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <vector>

namespace reeve::keeper {
namespace {

#if defined(__x86_64__)
constexpr unsigned kArchitecture = AUDIT_ARCH_X86_64;
#elif defined(__aarch64__)
constexpr unsigned kArchitecture = AUDIT_ARCH_AARCH64;
#else
#error "name this architecture for seccomp"
#endif

// Of the list, none is ruled by its arguments but unshare(). The C library's own needs stand in the last lines.
constexpr int kAllowed[] = {
    // calls: received, read, resolved
    SYS_ioctl,
    SYS_process_vm_readv,
    SYS_openat,
    SYS_openat2,
    SYS_statx,
    SYS_readlinkat,
    SYS_newfstatat,
    SYS_fstat,
    SYS_fstatfs,
    SYS_read,
    SYS_close,
    SYS_fcntl,
    SYS_dup,
    SYS_faccessat,
    // done
    SYS_mkdirat,
    SYS_mknodat,
    SYS_symlinkat,
    SYS_linkat,
    SYS_unlinkat,
    SYS_renameat2,
    SYS_truncate,
    SYS_ftruncate,
    SYS_fchmodat,
    SYS_fchownat,
    SYS_utimensat,
    SYS_setxattr,
    SYS_removexattr,
    SYS_umask,
    SYS_fchdir,
    SYS_chdir,
    SYS_pidfd_open,
    SYS_pidfd_getfd,
    SYS_bind,
    SYS_prlimit64,
    SYS_tgkill,
    SYS_geteuid,
    SYS_getegid,
    SYS_getgroups,
    SYS_sched_getaffinity,
    SYS_sched_setaffinity,
    SYS_getcpu,
    // told
    SYS_sendmsg,
    SYS_sendto,
    SYS_recvmsg,
    SYS_recvfrom,
    SYS_ppoll,
    SYS_write,
    SYS_writev,
    // threads, memory, time, and the end
    SYS_clone,
    SYS_clone3,
    SYS_futex,
    SYS_set_robust_list,
    SYS_rseq,
    SYS_prctl,
    SYS_mmap,
    SYS_munmap,
    SYS_mprotect,
    SYS_madvise,
    SYS_brk,
    SYS_mremap,
    SYS_rt_sigprocmask,
    SYS_rt_sigaction,
    SYS_rt_sigreturn,
    SYS_getpid,
    SYS_gettid,
    SYS_clock_gettime,
    SYS_clock_nanosleep,
    SYS_nanosleep,
    SYS_sched_yield,
    SYS_restart_syscall,
    SYS_exit,
    SYS_exit_group,
    SYS_getrandom,
#ifdef SYS_renameat
    SYS_renameat,  // the C library's renameat2() without flags
#endif
#ifdef SYS_poll
    SYS_poll,
    SYS_readlink,
    SYS_open,
    SYS_stat,
    SYS_lstat,
#endif
};

}  // namespace

platform::Status close_to_others() {
    if (::prctl(PR_SET_DUMPABLE, 0) != 0) return platform::os_error("close the keeper to others", "");
    if (::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0)
        return platform::os_error("give up new privileges", "");
    return {};
}

platform::Status allow_only_what_is_needed() {
    constexpr unsigned kNumber = offsetof(seccomp_data, nr), kArch = offsetof(seccomp_data, arch);
    constexpr unsigned kFlags = offsetof(seccomp_data, args);  // the lower half, on a little-endian machine
    const auto load = [](unsigned from) { return sock_filter(BPF_STMT(BPF_LD | BPF_W | BPF_ABS, from)); };
    const auto give = [](unsigned action) { return sock_filter(BPF_STMT(BPF_RET | BPF_K, action)); };
    const auto skip_unless = [](unsigned value, std::uint8_t count) {
        return sock_filter(BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, value, 0, count));
    };
    std::vector<sock_filter> program{load(kArch),
                                     sock_filter(BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, kArchitecture, 1, 0)),
                                     give(SECCOMP_RET_KILL_PROCESS), load(kNumber)};
    for (const int number : kAllowed) {
        program.push_back(skip_unless(static_cast<unsigned>(number), 1));
        program.push_back(give(SECCOMP_RET_ALLOW));
    }
    // Each worker has a umask of its own; a new namespace is what this call is for otherwise.
    program.insert(program.end(), {skip_unless(SYS_unshare, 3), load(kFlags), skip_unless(CLONE_FS, 1),
                                   give(SECCOMP_RET_ALLOW), give(SECCOMP_RET_ERRNO | EPERM)});
    const sock_fprog loaded{static_cast<unsigned short>(program.size()), program.data()};
    if (::syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, &loaded) != 0)
        return platform::os_error("load the keeper's own system call filter", "");
    return {};
}

}  // namespace reeve::keeper
