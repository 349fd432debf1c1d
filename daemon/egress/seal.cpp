#include "daemon/egress/seal.hpp"

#include <fcntl.h>
#include <seccomp.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>

#include <array>
#include <cstdint>
#include <memory>

#include "daemon/egress/seal_files.hpp"

namespace reeve::egress {
namespace {

constexpr const char* kAllowed[] = {
    // the loop
    "epoll_wait", "epoll_pwait", "epoll_pwait2", "epoll_ctl", "timerfd_settime",
    // connections
    "accept4", "bind", "connect", "shutdown", "getsockname", "getpeername", "getsockopt", "setsockopt",
    "recvfrom", "recvmsg", "sendto", "sendmsg", "splice", "pipe2", "fcntl", "close", "read", "readv", "write",
    "writev", "poll", "ppoll",
    // resolv.conf, hosts and their like
    "open", "openat", "stat", "fstat", "newfstatat", "statx", "lseek", "readlink", "readlinkat", "uname",
    // memory, time, the end
    "brk", "munmap", "mremap", "madvise", "futex", "getrandom", "clock_gettime", "gettimeofday",
    "clock_nanosleep", "sysinfo", "getpid", "gettid", "rt_sigprocmask", "rt_sigreturn", "restart_syscall",
    "exit", "exit_group"};

constexpr const char* kFatal[] = {"execve",
                                  "execveat",
                                  "ptrace",
                                  "kill",
                                  "tkill",
                                  "tgkill",
                                  "process_vm_readv",
                                  "process_vm_writev",
                                  "pidfd_open",
                                  "pidfd_send_signal",
                                  "pidfd_getfd"};

// Type flags stand above these bits of socket()'s second argument.
constexpr unsigned kTypeBits = 0xf;

class Filter {
  public:
    Filter() : context_(::seccomp_init(SCMP_ACT_ERRNO(EPERM)), &seccomp_release) {}

    template <class... Conditions>
    void add(std::uint32_t action, const char* name, Conditions... conditions) {
        const int number = ::seccomp_syscall_resolve_name(name);
        if (code_ != 0 || number < 0) return;  // some are not there on every machine
        const std::array<scmp_arg_cmp, sizeof...(conditions)> all{conditions...};
        code_ = -::seccomp_rule_add_array(context_.get(), action, number, all.size(), all.data());
    }
    platform::Status load() {
        if (!context_) code_ = ENOMEM;
        if (code_ == 0)
            code_ = -::seccomp_attr_set(context_.get(), SCMP_FLTATR_ACT_BADARCH, SCMP_ACT_KILL_PROCESS);
        if (code_ == 0) code_ = -::seccomp_load(context_.get());
        if (code_ == 0) return {};
        return platform::os_error("load the system call filter", "", code_,
                                  "see that the kernel has CONFIG_SECCOMP_FILTER");
    }

  private:
    std::unique_ptr<void, decltype(&seccomp_release)> context_;
    int code_ = 0;
};

void allow_sockets(Filter& filter) {
    for (const int family : {AF_INET, AF_INET6})
        for (const unsigned type : {SOCK_STREAM, SOCK_DGRAM})
            filter.add(SCMP_ACT_ALLOW, "socket", SCMP_A0_32(SCMP_CMP_EQ, static_cast<std::uint32_t>(family)),
                       SCMP_A1_32(SCMP_CMP_MASKED_EQ, kTypeBits, type));
    // getifaddrs(): this machine's addresses.
    filter.add(SCMP_ACT_ALLOW, "socket", SCMP_A0_32(SCMP_CMP_EQ, AF_NETLINK), SCMP_A2_32(SCMP_CMP_EQ, 0));
}

platform::Status enter_filter() {
    Filter filter;
    for (const char* name : kAllowed) filter.add(SCMP_ACT_ALLOW, name);
    for (const char* name : kFatal) filter.add(SCMP_ACT_KILL_PROCESS, name);
    for (const char* name : {"mmap", "mprotect"})
        filter.add(SCMP_ACT_ALLOW, name, SCMP_A2_32(SCMP_CMP_MASKED_EQ, PROT_EXEC, 0));
    allow_sockets(filter);
    return filter.load();
}

}  // namespace

platform::Result<std::size_t> protect() {
    if (::prctl(PR_SET_DUMPABLE, 0) != 0) return platform::os_error("forbid dumps of reeve-egress", "");
    if (::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0) return platform::os_error("set no_new_privs", "");
    const struct rlimit none {};
    struct rlimit files {};
    if (::setrlimit(RLIMIT_CORE, &none) != 0 || ::getrlimit(RLIMIT_NOFILE, &files) != 0)
        return platform::os_error("set the limits of reeve-egress", "");
    files.rlim_cur = files.rlim_max;
    ::setrlimit(RLIMIT_NOFILE, &files);
    ::getrlimit(RLIMIT_NOFILE, &files);
    return static_cast<std::size_t>(files.rlim_cur);
}

platform::Status enter_seal() {
    if (auto s = close_file_system(); !s) return s;
    return enter_filter();
}

}  // namespace reeve::egress
