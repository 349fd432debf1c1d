// reeve-probe ROW UID GID: gives up everything, then runs one row of the table of programs.
//
// What the program that runs still has: reading what is world-readable, and writing to its standard output.
// It has no network, no other process in sight, no right to change a file, no privilege and no way to gain
// one, no environment, and nothing that it starts outlives it (it is the first process of its own pid
// namespace).
#include <fcntl.h>
#include <grp.h>
#include <linux/landlock.h>
#include <sched.h>
#include <signal.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <charconv>
#include <cstring>
#include <string_view>

#include "platform/fd.hpp"
#include "platform/linux/posture/probe_protocol.hpp"
#include "platform/posture.hpp"

namespace {

using namespace reeve::platform;
using namespace reeve::platform::posture;

[[noreturn]] void fail(const char* step, int code) {
    Report report{.code = code, .step = {}};
    std::strncpy(report.step, step, sizeof report.step - 1);
    (void)!::write(kReportFd, &report, sizeof report);
    ::_exit(125);
}

void must(bool done, const char* step) {
    if (!done) fail(step, errno);
}

unsigned number(const char* text) {
    unsigned value = 0;
    const std::string_view all(text);
    const auto [end, failure] = std::from_chars(all.data(), all.data() + all.size(), value);
    if (failure != std::errc{} || end != all.data() + all.size() || value == 0)
        fail("read the arguments for", EINVAL);
    return value;
}

void bound(int resource, rlim_t most) {
    const rlimit limit{.rlim_cur = most, .rlim_max = most};
    must(::setrlimit(static_cast<__rlimit_resource_t>(resource), &limit) == 0, "limit");
}

constexpr std::uint64_t kChange = LANDLOCK_ACCESS_FS_WRITE_FILE | LANDLOCK_ACCESS_FS_REMOVE_DIR |
                                  LANDLOCK_ACCESS_FS_REMOVE_FILE | LANDLOCK_ACCESS_FS_MAKE_CHAR |
                                  LANDLOCK_ACCESS_FS_MAKE_DIR | LANDLOCK_ACCESS_FS_MAKE_REG |
                                  LANDLOCK_ACCESS_FS_MAKE_SOCK | LANDLOCK_ACCESS_FS_MAKE_FIFO |
                                  LANDLOCK_ACCESS_FS_MAKE_BLOCK | LANDLOCK_ACCESS_FS_MAKE_SYM;

void allow(int ruleset, const char* path, std::uint64_t rights) {
    const Fd there(::open(path, O_PATH | O_CLOEXEC));
    must(static_cast<bool>(there), "forbid writing for");
    landlock_path_beneath_attr rule{};
    rule.allowed_access = rights;
    rule.parent_fd = there.get();
    must(::syscall(SYS_landlock_add_rule, ruleset, LANDLOCK_RULE_PATH_BENEATH, &rule, 0) == 0,
         "forbid writing for");
}

// Denies every change of the tree but in its own /tmp. The first ABI's rights are enough for a program that
// is nobody anyway, and any kernel with Landlock has them; without Landlock the ids alone stand.
void forbid_writing() {
    landlock_ruleset_attr rules{};
    rules.handled_access_fs = kChange;
    const Fd ruleset(static_cast<int>(::syscall(SYS_landlock_create_ruleset, &rules, sizeof rules, 0)));
    if (!ruleset && (errno == ENOSYS || errno == EOPNOTSUPP)) return;
    must(static_cast<bool>(ruleset), "forbid writing for");
    allow(ruleset.get(), "/dev/null", LANDLOCK_ACCESS_FS_WRITE_FILE);
    allow(ruleset.get(), "/tmp", kChange);
    must(::syscall(SYS_landlock_restrict_self, ruleset.get(), 0) == 0, "forbid writing for");
}

// apt takes signed lists apart in files: a /tmp of its own, which nobody else sees and which is gone with it.
void private_tmp() {
    must(::mount(nullptr, "/", nullptr, MS_REC | MS_PRIVATE, nullptr) == 0, "set apart");
    must(::mount("tmpfs", "/tmp", "tmpfs", MS_NOSUID | MS_NODEV | MS_NOEXEC, "size=64m,mode=1777") == 0,
         "set apart");
}

// The /proc of the new pid namespace, in which there is nobody else; in the one of before all processes would be seen.
void own_proc() {
    must(::mount("proc", "/proc", "proc", MS_NOSUID | MS_NODEV | MS_NOEXEC, nullptr) == 0,
         "hide processes from");
}

[[noreturn]] void become(const Program& row, uid_t uid, gid_t gid) {
    bound(RLIMIT_CORE, 0);
    bound(RLIMIT_FSIZE, 64UL << 20);
    bound(RLIMIT_NOFILE, 128);
    bound(RLIMIT_CPU, row.limit_ms / 1000 + 1);
    bound(RLIMIT_AS, 2UL << 30);
    must(::setgroups(0, nullptr) == 0, "drop the groups for");
    must(::setresgid(gid, gid, gid) == 0, "drop the group for");
    must(::setresuid(uid, uid, uid) == 0, "drop the user for");  // and with it every capability
    must(::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0, "forbid privileges for");
    must(::prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0) == 0,
         "tie the life of");  // after the ids: they clear it
    forbid_writing();
    must(::chdir("/") == 0, "find a directory for");
    ::umask(077);
    // execve() takes char* for C's sake and changes nothing.
    auto argv = row.argv;
    argv.push_back(nullptr);
    const char* environment[] = {nullptr};
    ::execve(argv[0], const_cast<char* const*>(argv.data()), const_cast<char* const*>(environment));
    fail("run", errno);
}

// The exit code of the only child; a signal is passed on to ourselves, so that the caller sees it.
int follow(pid_t child) {
    int status = 0;
    while (::waitpid(child, &status, 0) < 0)
        if (errno != EINTR) return 125;
    if (!WIFSIGNALED(status)) return WEXITSTATUS(status);
    bound(RLIMIT_CORE, 0);
    ::signal(WTERMSIG(status), SIG_DFL);
    ::raise(WTERMSIG(status));
    return 125;
}

}  // namespace

int main(int argc, char** argv) {
    must(::fcntl(kReportFd, F_SETFD, FD_CLOEXEC) == 0, "report on");
    must(::syscall(SYS_close_range, kReportFd + 1, ~0U, 0) == 0, "close descriptors for");
    if (argc != 4) fail("read the arguments for", EINVAL);
    const auto row = std::ranges::find(programs(), std::string_view(argv[1]), &Program::id);
    if (row == programs().end()) fail("find the row of", EINVAL);
    const uid_t uid = number(argv[2]);
    const gid_t gid = number(argv[3]);

    must(::prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0) == 0, "tie the life of");
    must(::unshare(CLONE_NEWNS | CLONE_NEWNET | CLONE_NEWIPC | CLONE_NEWPID) == 0, "set apart");
    private_tmp();
    const pid_t child = ::fork();
    must(child >= 0, "start");
    if (child == 0) {
        own_proc();
        become(*row, uid, gid);
    }
    Fd(kReportFd).reset();  // only the child's copy counts from here
    return follow(child);
}
