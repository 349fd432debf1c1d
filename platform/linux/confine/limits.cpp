#include <fcntl.h>
#include <linux/keyctl.h>
#include <sched.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "platform/linux/confine/setup.hpp"

namespace reeve::platform::confine {

Status enter_limits(Setup& setup) {
    for (const Fd& group : setup.limit_groups)
        if (::write(group.get(), "0", 1) != 1)  // "0" is who writes
            return os_error("enter the cgroup of the session's limits", "");
    // After the groups, which become the root of what the session sees.
    if (::unshare(CLONE_NEWCGROUP) != 0) return os_error("make a cgroup namespace", "");
    // A core may hold what the session read, and core_pattern may name a program of the host's: core(5) says
    // that a limit of 0 does not stop that one, but 1 does. The filter sees to it that nobody lowers it
    // (seccomp.core).
    const rlimit none{1, 1};
    if (!left_out(setup.plan, "core") && ::setrlimit(RLIMIT_CORE, &none) != 0)
        return os_error("forbid core files", "");
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
