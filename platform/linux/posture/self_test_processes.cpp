// The walls around processes, and around what a process may become.
#include <dirent.h>
#include <fcntl.h>
#include <grp.h>
#include <linux/capability.h>
#include <linux/seccomp.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/personality.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

#include <charconv>
#include <cstring>

#include "platform/fd.hpp"
#include "platform/linux/posture/self_test.hpp"

namespace reeve::platform::posture {
namespace {

std::string in_proc(pid_t pid, const char* name) {
    return "/proc/" + std::to_string(pid) + "/" + name;
}

void try_to_open(Tries& tries, const std::string& path, int flags) {
    const Fd fd(::open(path.c_str(), flags | O_CLOEXEC));
    tries.call(path, fd.get());
}

// The effective user id of a process that has ended and was not waited for, as this user namespace shows it.
std::optional<uid_t> effective_id(pid_t pid) {
    const Fd fd(::open(in_proc(pid, "status").c_str(), O_RDONLY | O_CLOEXEC));
    char text[4096];
    const auto size = ::read(fd.get(), text, sizeof text);
    if (size <= 0) return {};
    const std::string_view status(text, static_cast<std::size_t>(size));
    const auto line = status.find("\nUid:\t");
    const auto second = line == std::string_view::npos ? line : status.find('\t', line + 6);
    if (second == std::string_view::npos) return {};
    uid_t id = 0;
    const auto [end, failure] =
        std::from_chars(status.data() + second + 1, status.data() + status.size(), id);
    return failure == std::errc{} ? std::optional(id) : std::nullopt;
}

// Runs a program that has the set-user-id bit, and looks whose it was.
void try_program_of_root(Tries& tries) {
    for (const char* path : {"/usr/bin/su", "/usr/bin/passwd", "/usr/bin/mount"}) {
        struct stat status {};
        if (::stat(path, &status) != 0 || (status.st_mode & S_ISUID) == 0) continue;
        const pid_t child = ::fork();
        if (child == 0) {
            const Fd null(::open("/dev/null", O_RDWR | O_CLOEXEC));
            for (int fd = 0; fd < 3; ++fd) ::dup2(null.get(), fd);
            char argument[] = "--version";
            char* const arguments[] = {const_cast<char*>(path), argument, nullptr};
            char* const environment[] = {nullptr};
            ::execve(path, arguments, environment);
            ::_exit(127);
        }
        siginfo_t info{};
        while (::waitid(P_PID, static_cast<id_t>(child), &info, WEXITED | WNOWAIT) < 0 && errno == EINTR)
            continue;
        const auto id = effective_id(child);
        while (::waitpid(child, nullptr, 0) < 0 && errno == EINTR) continue;
        if (id) tries.way(path, *id != ::geteuid() || *id == 0, 0);
        return;
    }
}

}  // namespace

void try_ptrace(Tries& tries, const Targets& targets) {
    tries.call("first process", ::ptrace(PTRACE_SEIZE, 1, nullptr, nullptr));
    if (targets.outside) tries.call("outside", ::ptrace(PTRACE_SEIZE, *targets.outside, nullptr, nullptr));
    const Victim victim;
    tries.call("child", ::ptrace(PTRACE_SEIZE, victim.pid(), nullptr, nullptr));
}

void try_process_memory(Tries& tries, const Targets& targets) {
    char here = 'x', there = 'y';
    const Victim victim;
    const iovec local{&here, 1}, remote{&there, 1};
    tries.call("process_vm_readv",
               ::syscall(SYS_process_vm_readv, victim.pid(), &local, 1L, &remote, 1L, 0L));
    const Fd handle(static_cast<int>(::syscall(SYS_pidfd_open, victim.pid(), 0)));
    if (handle)
        tries.call("pidfd_getfd", Fd(static_cast<int>(::syscall(SYS_pidfd_getfd, handle.get(), 2, 0))).get());
    try_to_open(tries, in_proc(1, "mem"), O_RDONLY);
    if (targets.outside) try_to_open(tries, in_proc(*targets.outside, "mem"), O_RDONLY);
}

void try_proc_root(Tries& tries, const Targets& targets) {
    for (const char* name : {"root", "cwd", "fd/0", "ns/mnt", "environ"})
        try_to_open(tries, in_proc(1, name), O_RDONLY | O_NONBLOCK | O_NOCTTY);
    if (targets.outside) try_to_open(tries, in_proc(*targets.outside, "root"), O_RDONLY);
}

void try_signals(Tries& tries, const Targets& targets) {
    // A number that is our own here is not another's: that is the wall.
    if (!targets.outside) return tries.way("kill", false, ESRCH);
    // EPERM would be an answer about a process that is seen.
    tries.way("kill", ::kill(*targets.outside, 0) == 0 || errno != ESRCH, errno);
    const Fd handle(static_cast<int>(::syscall(SYS_pidfd_open, *targets.outside, 0)));
    tries.way("pidfd_open", static_cast<bool>(handle) || errno != ESRCH, errno);
}

void try_setuid(Tries& tries, const Targets&) {
    // A file in memory: the bit is set on nothing that anybody could start.
    const Fd file(static_cast<int>(::syscall(SYS_memfd_create, "reeve-self-test", 0)));
    struct stat status {};
    ::fchmod(file.get(), S_ISUID | 0600);
    const int error = errno;
    tries.way("set-user-id bit", ::fstat(file.get(), &status) == 0 && (status.st_mode & S_ISUID) != 0, error);
    try_program_of_root(tries);
    const gid_t root = 0;
    tries.call("setgroups", ::syscall(SYS_setgroups, 1, &root));
    tries.call("setresgid", ::syscall(SYS_setresgid, 0, 0, 0));
    tries.call("setresuid", ::syscall(SYS_setresuid, 0, 0, 0));
}

void try_capabilities(Tries& tries, const Targets&) {
    __user_cap_header_struct header{_LINUX_CAPABILITY_VERSION_3, 0};
    __user_cap_data_struct data[2]{};
    if (::syscall(SYS_capget, &header, data) != 0) return tries.untried("capget does not answer");
    tries.way("effective", (data[0].effective | data[1].effective) != 0, EPERM);
    tries.way("permitted", (data[0].permitted | data[1].permitted) != 0, EPERM);
    tries.way("inheritable", (data[0].inheritable | data[1].inheritable) != 0, EPERM);
    bool bounding = false;
    for (int capability = 0, has; (has = ::prctl(PR_CAPBSET_READ, capability)) >= 0; ++capability)
        bounding = bounding || has == 1;
    tries.way("bounding", bounding, EPERM);
    for (auto& half : data) half.effective = half.permitted = half.inheritable = ~0U;
    tries.call("capset", ::syscall(SYS_capset, &header, data));
    tries.call("ambient", ::prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, CAP_NET_RAW, 0, 0));
}

void try_no_new_privileges(Tries& tries, const Targets&) {
    tries.way("is not set", ::prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) != 1, EPERM);
    // There is no call that takes it back; this is the nearest.
    tries.call("taken back", ::prctl(PR_SET_NO_NEW_PRIVS, 0, 0, 0, 0));
}

void try_seccomp_filter(Tries& tries, const Targets&) {
    tries.way("no filter", ::prctl(PR_GET_SECCOMP) != SECCOMP_MODE_FILTER, EPERM);
    // What any process may do without one: weaken itself, and what it starts.
    tries.call("personality", ::personality(ADDR_NO_RANDOMIZE));
}

}  // namespace reeve::platform::posture
