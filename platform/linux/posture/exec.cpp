// Running one row of the table through reeve-probe, with a bound on time and on output.
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include <algorithm>
#include <chrono>
#include <cstring>

#include "platform/linux/posture/probe_protocol.hpp"
#include "platform/posture.hpp"

namespace reeve::platform::posture {
namespace {

using std::chrono::steady_clock;

struct Pipe {
    Fd in, out;  // reading end, writing end
};

Result<Pipe> make_pipe() {
    int ends[2];
    if (::pipe2(ends, O_CLOEXEC) != 0) return os_error("make a pipe", "");
    Pipe pipe{Fd(ends[0]), Fd(ends[1])};
    if (::fcntl(pipe.in.get(), F_SETFL, O_NONBLOCK) != 0) return os_error("make a pipe", "");
    return pipe;
}

// A started helper. It is never left behind: the destructor ends and reaps it.
class Child {
  public:
    Child(pid_t pid, Fd handle) : pid_(pid), handle_(std::move(handle)) {}
    Child(const Child&) = delete;
    Child& operator=(const Child&) = delete;
    ~Child() { end(); }

    int handle() const { return handle_.get(); }

    // Kills what is left of it and gives its wait status. The pid is its own until it is reaped, and leads
    // its group; what left the group dies with the helper's pid namespace.
    int end() {
        if (pid_ <= 0) return status_;
        ::kill(-pid_, SIGKILL);
        ::kill(pid_, SIGKILL);
        while (::waitpid(pid_, &status_, 0) < 0 && errno == EINTR) continue;
        pid_ = -1;
        return status_;
    }

  private:
    pid_t pid_;
    Fd handle_;
    int status_ = 0;
};

// Reads what is there. False at the end of the stream or on an error.
bool drain(int fd, std::string& into, std::size_t limit) {
    char buffer[16384];
    for (;;) {
        const auto got = ::read(fd, buffer, sizeof buffer);
        if (got < 0 && errno == EINTR) continue;
        if (got < 0) return errno == EAGAIN;
        if (got == 0) return false;
        into.append(buffer, static_cast<std::size_t>(got));
        if (into.size() > limit) return false;
    }
}

Result<pid_t> spawn(const std::string& helper, const Program& row, uid_t uid, gid_t gid, int output,
                    int report) {
    posix_spawn_file_actions_t actions;
    posix_spawnattr_t attributes;
    if (const int failed = ::posix_spawn_file_actions_init(&actions); failed != 0)
        return os_error("start", helper, failed);
    ::posix_spawnattr_init(&attributes);
    ::posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0);
    ::posix_spawn_file_actions_adddup2(&actions, output, 1);
    ::posix_spawn_file_actions_addopen(&actions, 2, "/dev/null", O_WRONLY, 0);
    ::posix_spawn_file_actions_adddup2(&actions, report, kReportFd);
    sigset_t none, all;
    sigemptyset(&none);
    sigfillset(&all);
    ::posix_spawnattr_setsigmask(&attributes, &none);
    ::posix_spawnattr_setsigdefault(&attributes, &all);
    // A session of its own: no terminal, and a group to kill.
    ::posix_spawnattr_setflags(&attributes,
                               POSIX_SPAWN_SETSID | POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);

    std::string id(row.id), user = std::to_string(uid), group = std::to_string(gid), name = "reeve-probe";
    char* const argv[] = {name.data(), id.data(), user.data(), group.data(), nullptr};
    char* const environment[] = {nullptr};
    pid_t pid = -1;
    const int failed = ::posix_spawn(&pid, helper.c_str(), &actions, &attributes, argv, environment);
    ::posix_spawn_file_actions_destroy(&actions);
    ::posix_spawnattr_destroy(&attributes);
    if (failed != 0) {
        auto failure = os_error("start", helper, failed, "reinstall reeve");
        failure.error().code = 0;  // ENOENT would say that the program is not there: it is the helper
        return failure;
    }
    return pid;
}

Status reported(const std::string& bytes, const Program& row) {
    if (bytes.empty()) return {};
    Report report{};
    std::memcpy(&report, bytes.data(), std::min(bytes.size(), sizeof report));
    report.step[sizeof report.step - 1] = '\0';
    return os_error(std::string(report.step), row.argv[0], report.code);
}

// Waits for the end, collecting output; the time limit and the bound on output are errors.
Status follow(const Program& row, Child& child, Pipe& output, std::string& bytes) {
    const auto deadline = steady_clock::now() + std::chrono::milliseconds(row.limit_ms);
    for (bool open = true;;) {
        const auto left =
            std::chrono::ceil<std::chrono::milliseconds>(deadline - steady_clock::now()).count();
        if (left <= 0) return os_error("wait for", row.argv[0], ETIMEDOUT);
        pollfd watched[] = {{child.handle(), POLLIN, 0}, {open ? output.in.get() : -1, POLLIN, 0}};
        const int ready = ::poll(watched, 2, static_cast<int>(left));
        if (ready < 0 && errno != EINTR) return os_error("wait for", row.argv[0]);
        if (ready <= 0) continue;
        if (open && watched[1].revents != 0) open = drain(output.in.get(), bytes, row.max_output);
        if (bytes.size() > row.max_output) return os_error("read the answer of", row.argv[0], EFBIG);
        if (watched[0].revents != 0) return {};
    }
}

}  // namespace

Result<Output> ConfinedExec::run(std::string_view id) const {
    const auto row = std::ranges::find(table_, id, &Program::id);
    if (row == table_.end()) return error("run", std::string(id), "no such row in the table of programs");
    auto output = make_pipe();
    if (!output) return std::unexpected(output.error());
    auto report = make_pipe();
    if (!report) return std::unexpected(report.error());

    const auto pid = spawn(helper_, *row, uid_, gid_, output->out.get(), report->out.get());
    output->out.reset();
    report->out.reset();
    if (!pid) return std::unexpected(pid.error());
    Child child(*pid, Fd(static_cast<int>(::syscall(SYS_pidfd_open, *pid, 0))));
    if (child.handle() < 0) return os_error("follow", row->argv[0]);

    Output result;
    const auto followed = follow(*row, child, *output, result.standard_output);
    if (!followed) return std::unexpected(followed.error());
    const int status = child.end();
    drain(output->in.get(), result.standard_output, row->max_output);
    if (result.standard_output.size() > row->max_output)
        return os_error("read the answer of", row->argv[0], EFBIG);
    std::string failure;
    drain(report->in.get(), failure, sizeof(Report));
    if (const auto fine = reported(failure, *row); !fine) return std::unexpected(fine.error());
    if (!WIFEXITED(status))
        return error("run", row->argv[0], "ended by signal " + std::to_string(WTERMSIG(status)));
    result.status = WEXITSTATUS(status);
    return result;
}

}  // namespace reeve::platform::posture
