// reeve-self-test ABSENT_PATH READ_ONLY_DIR OUTSIDE_PID: tries each wall of walls.hpp, by the system call itself, and says of
// each in one line of JSON whether it held: {"wall":"ptrace","held":true,"detail":"..."}. `held` is null where that could not
// be tried. Exit code 0: all held; 1: not so; 2: usage. What the three arguments are stands in self_test.hpp.
#include "platform/linux/posture/self_test.hpp"

#include <fcntl.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <charconv>
#include <cstdio>
#include <cstring>
#include <system_error>

#include "platform/fd.hpp"
#include "platform/linux/posture/walls.hpp"

namespace reeve::platform::posture {
namespace {

constexpr unsigned kPatience = 10;  // seconds that one wall may take
constexpr std::size_t kMostDetail = 180;

struct Row {
    std::string_view wall;
    Try attempt;
};
constexpr auto kRows = std::to_array<Row>({
    {"host-secrets", try_host_secrets},
    {"absent-path", try_absent_path},
    {"read-only-zone", try_read_only_zone},
    {"nested-namespace", try_nested_namespace},
    {"mount", try_mount},
    {"ptrace", try_ptrace},
    {"process-memory", try_process_memory},
    {"proc-root", try_proc_root},
    {"network-out", try_network_out},
    {"unix-datagram", try_unix_datagram},
    {"odd-sockets", try_odd_sockets},
    {"io-uring", try_io_uring},
    {"bpf", try_bpf},
    {"perf", try_perf},
    {"keyring", try_keyring},
    {"userfaultfd", try_userfaultfd},
    {"setuid", try_setuid},
    {"chroot", try_chroot},
    {"tty-injection", try_tty_injection},
    {"memfd-exec", try_memfd_exec},
    {"file-handles", try_file_handles},
    {"signals", try_signals},
    {"capabilities", try_capabilities},
    {"no-new-privileges", try_no_new_privileges},
    {"seccomp-filter", try_seccomp_filter},
});
static_assert(std::ranges::equal(kRows, kWalls, {}, &Row::wall), "every wall has its row, in the same order");

struct Verdict {
    std::optional<bool> held;
    std::string detail;
};

// One wall in a process of its own: what gets through ends with it, and a filter that kills is an answer.
Verdict attempt(const Row& row, const Targets& targets) {
    int ends[2];
    if (::pipe2(ends, O_CLOEXEC | O_NONBLOCK) != 0) return {{}, "no pipe"};
    const Fd in(ends[0]);
    Fd out(ends[1]);
    const pid_t child = ::fork();
    if (child < 0) return {{}, "no process"};
    if (child == 0) {
        ::alarm(kPatience);
        Tries tries;
        row.attempt(tries, targets);
        // Below PIPE_BUF, so that it fits at once.
        const auto held = tries.held();
        const std::string answer = (!held ? "?" : *held ? "+" : "-") + tries.detail();
        ::_exit(::write(out.get(), answer.data(), answer.size()) > 0 ? 0 : 1);
    }
    out.reset();
    int status = 0;
    while (::waitpid(child, &status, 0) < 0 && errno == EINTR) continue;
    char answer[1 + kMostDetail + 64];
    const auto size = ::read(in.get(), answer, sizeof answer);
    if (size > 0)
        return {answer[0] == '?' ? std::nullopt : std::optional(answer[0] == '+'),
                std::string(answer + 1, static_cast<std::size_t>(size) - 1)};
    if (WIFSIGNALED(status) && WTERMSIG(status) == SIGSYS) return {true, "killed by the filter"};
    if (WIFSIGNALED(status) && WTERMSIG(status) == SIGALRM) return {{}, "took longer than 10 s"};
    return {{}, "the try died, wait status " + std::to_string(status)};
}

std::optional<pid_t> number(const char* text) {
    pid_t value = 0;
    const auto [end, failure] = std::from_chars(text, text + std::strlen(text), value);
    // 1 is the first process of every pid namespace: it says nothing.
    if (failure != std::errc{} || *end != '\0' || value < 2) return {};
    return value;
}

int run(const Targets& targets) {
    bool all = true;
    for (const auto& row : kRows) {
        const auto verdict = attempt(row, targets);
        all = all && verdict.held == true;
        const char* const held = !verdict.held ? "null" : *verdict.held ? "true" : "false";
        std::printf(R"({"wall":"%s","held":%s,"detail":"%s"})"
                    "\n",
                    std::string(row.wall).c_str(), held, verdict.detail.c_str());
    }
    return std::fflush(stdout) == 0 && all ? 0 : 1;
}

}  // namespace

void Tries::way(std::string_view name, bool through, int error) {
    tried_ = true;
    auto& list = through ? through_ : stopped_;
    if (list.size() >= kMostDetail) return;
    list += (list.empty() ? "" : "; ") + std::string(name);
    if (!through) list += ": " + (error ? std::generic_category().message(error) : std::string("no effect"));
}

void Tries::past(std::string_view name, long result) {
    const int error = errno;
    const bool of_wall = error == EPERM || error == EACCES || error == ENOSYS || error == EAFNOSUPPORT ||
                         error == EPROTONOSUPPORT || error == ESOCKTNOSUPPORT;
    way(name, result >= 0 || !of_wall, error);
}

std::optional<bool> Tries::held() const {
    if (!through_.empty()) return false;
    return tried_ && why_untried_.empty() ? std::optional(true) : std::nullopt;
}

std::string Tries::detail() const {
    auto text = !through_.empty()       ? "got through: " + through_
                : !why_untried_.empty() ? why_untried_
                                        : stopped_;
    if (text.size() > kMostDetail) text = text.substr(0, kMostDetail - 3) + "...";
    std::ranges::replace_if(
        text, [](unsigned char c) { return c < 0x20 || c > 0x7e || c == '"' || c == '\\'; }, '?');
    return text;
}

Victim::Victim() : pid_(::fork()) {
    if (pid_ != 0) return;
    ::prctl(PR_SET_PDEATHSIG, SIGKILL);
    ::alarm(kPatience);
    for (;;) ::pause();
}

Victim::~Victim() {
    if (pid_ <= 0) return;
    ::kill(pid_, SIGKILL);
    while (::waitpid(pid_, nullptr, 0) < 0 && errno == EINTR) continue;
}

int in_child(int (*action)()) {
    const pid_t child = ::fork();
    if (child < 0) return errno;
    if (child == 0) ::_exit(action());
    int status = 0;
    while (::waitpid(child, &status, 0) < 0 && errno == EINTR) continue;
    return WIFEXITED(status) ? WEXITSTATUS(status) : EINTR;
}

}  // namespace reeve::platform::posture

int main(int argc, char** argv) {
    using namespace reeve::platform::posture;
    if (argc == 2 && std::string_view(argv[1]) == "--ran") return kRan;
    const auto outside = argc == 4 ? number(argv[3]) : std::nullopt;
    if (!outside) {
        std::fputs("usage: reeve-self-test ABSENT_PATH READ_ONLY_DIR OUTSIDE_PID (not 1)\n", stderr);
        return 2;
    }
    const bool ours = *outside == ::getpid();
    return run({.absent_path = argv[1], .read_only_dir = argv[2], .outside = ours ? std::nullopt : outside});
}
