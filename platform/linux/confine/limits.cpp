#include <fcntl.h>
#include <linux/keyctl.h>
#include <sched.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "platform/linux/confine/setup.hpp"

namespace reeve::platform::confine {

namespace {

bool cores_go_to_a_program() {
    const Fd file(::open("/proc/sys/kernel/core_pattern", O_RDONLY | O_CLOEXEC));
    char first = '|';  // what cannot be read might
    return !file || ::read(file.get(), &first, 1) != 1 || first == '|';
}

// A limit of 1, and where nobody may raise it to that from 0 (sudo lowers it, CAP_SYS_RESOURCE raises it), 0.
Status forbid_cores() {
    const rlimit one{1, 1}, zero{0, 0};
    if (::setrlimit(RLIMIT_CORE, &one) == 0) return {};
    const int code = errno;
    if (!cores_go_to_a_program() && ::setrlimit(RLIMIT_CORE, &zero) == 0) return {};
    return os_error("forbid core files", "", code,
                    "kernel.core_pattern names a program, which a limit of 0 does not stop: give reeved "
                    "CAP_SYS_RESOURCE");
}

}  // namespace

Status enter_limits(Setup& setup) {
    for (const Fd& group : setup.limit_groups)
        if (::write(group.get(), "0", 1) != 1)  // "0" is who writes
            return os_error("enter the cgroup of the session's limits", "");
    // After the groups, which become the root of what the session sees.
    if (::unshare(CLONE_NEWCGROUP) != 0) return os_error("make a cgroup namespace", "");
    // A core may hold what the session read, and core_pattern may name a program of the host's: core(5) says
    // that a limit of 0 does not stop that one, but 1 does. The filter sees to it that nobody lowers it
    // (seccomp.core).
    if (!left_out(setup.plan, "core"))
        if (auto s = forbid_cores(); !s) return s;
    // Rather the agent than the desktop, and never as protected as reeved may be; its lower bound stays here
    // too.
    const Fd score(::open("/proc/self/oom_score_adj", O_WRONLY | O_CLOEXEC));
    const bool lowered = left_out(setup.plan, "oom_score") || (score && ::write(score.get(), "200", 3) == 3);
    if (!lowered) return os_error("set", "oom_score_adj");
    // A session keyring of its own: reeved's is not for it.
    if (!left_out(setup.plan, "session_keyring") &&
        ::syscall(SYS_keyctl, KEYCTL_JOIN_SESSION_KEYRING, nullptr) < 0 && errno != ENOSYS)
        return os_error("make a session keyring", "");
    ::umask(022);
    return {};
}

}  // namespace reeve::platform::confine
