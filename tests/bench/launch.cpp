// How long it takes to start `true` confined and see it end: Reeve's spawner against its peers, interleaved,
// and the share of each of Reeve's steps. bench_launch [ROUNDS]
#include <fcntl.h>
#include <poll.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <map>

#include "tests/escape/driver.hpp"

namespace {

using namespace reeve::test;
using namespace reeve::platform::confine;
using Clock = std::chrono::steady_clock;

double milliseconds_since(Clock::time_point begin) {
    return std::chrono::duration<double, std::milli>(Clock::now() - begin).count();
}

double median(std::vector<double> values) {
    std::sort(values.begin(), values.end());
    return values.empty() ? 0 : values[values.size() / 2];
}

// Until the command's end is told, which is what a caller waits for. Steps go to `steps` where it is not
// null.
double reeve_once(const Plan& plan, std::map<std::string, std::vector<double>>* steps) {
    StartFds fds;
    for (auto& stream : fds.streams) stream.reset(::open("/dev/null", O_RDWR | O_CLOEXEC));
    const auto begin = Clock::now();
    auto child = spawner(false).start(plan, std::move(fds));
    if (!child) std::fprintf(stderr, "%s\n", child.error().text().c_str()), std::exit(1);
    while (true) {
        pollfd readable{child->link.fd(), POLLIN, 0};
        ::poll(&readable, 1, -1);
        auto message = child->link.receive();
        if (!message || !*message) continue;
        if (auto* failed = std::get_if<StepFailed>(&**message))
            std::fprintf(stderr, "%s: %s\n", failed->step.c_str(), failed->error.text().c_str()),
                std::exit(1);
        if (auto* done = std::get_if<StepDone>(&**message); done != nullptr && steps != nullptr)
            (*steps)[done->step].push_back(static_cast<double>(done->nanoseconds) / 1000);
        if (std::get_if<Exited>(&**message) || std::get_if<Closed>(&**message))
            return milliseconds_since(begin);
    }
}

double program_once(const std::vector<std::string>& command) {
    std::vector<char*> arguments;
    for (const std::string& argument : command) arguments.push_back(const_cast<char*>(argument.c_str()));
    arguments.push_back(nullptr);
    posix_spawn_file_actions_t actions;
    ::posix_spawn_file_actions_init(&actions);
    for (int fd = 0; fd < 3; ++fd) ::posix_spawn_file_actions_addopen(&actions, fd, "/dev/null", O_RDWR, 0);
    const auto begin = Clock::now();
    pid_t pid = 0;
    int status = -1;
    if (::posix_spawn(&pid, arguments[0], &actions, nullptr, arguments.data(), environ) == 0)
        ::waitpid(pid, &status, 0);
    ::posix_spawn_file_actions_destroy(&actions);
    return status == 0 ? milliseconds_since(begin) : -1;
}

}  // namespace

int main(int argc, char** argv) {
    const int rounds = argc > 1 ? std::atoi(argv[1]) : 100;
    const reeve::test::Person person;
    // The peers run as root, whose user namespaces have no right to enter the person's home.
    const std::string work = (person.root() / "peers").string();
    std::filesystem::create_directory(work);
    // Peers: a name and what to run. One that is not installed, or fails, is left out and said so.
    const std::map<std::string, std::vector<std::string>> peers = {
        {"plain", {"/bin/true"}},
        {"bubblewrap",
         {"/usr/bin/bwrap",
          "--unshare-all",
          "--die-with-parent",
          "--new-session",
          "--ro-bind",
          "/usr",
          "/usr",
          "--ro-bind",
          "/etc/ssl",
          "/etc/ssl",
          "--ro-bind",
          "/etc/passwd",
          "/etc/passwd",
          "--symlink",
          "usr/bin",
          "/bin",
          "--symlink",
          "usr/lib",
          "/lib",
          "--symlink",
          "usr/lib64",
          "/lib64",
          "--proc",
          "/proc",
          "--dev",
          "/dev",
          "--tmpfs",
          "/tmp",
          "--tmpfs",
          "/run",
          "--tmpfs",
          "/home",
          "--bind",
          work,
          work,
          "--chdir",
          work,
          "/bin/true"}},
        {"firejail", {"/usr/bin/firejail", "--quiet", "--net=none", "--private=" + work, "/bin/true"}},
    };
    Plan plan = default_plan(person);
    plan.command = {"true"};
    std::map<std::string, std::vector<double>> times, steps;
    for (int round = 0; round < rounds; ++round) {
        times["reeve"].push_back(reeve_once(plan, nullptr));
        for (const auto& [name, command] : peers) {
            if (name == "firejail" && round % 10 != 0) continue;  // slow
            const double time = program_once(command);
            if (time > 0) times[name].push_back(time);
        }
        plan.report_steps = true;
        reeve_once(plan, &steps);
        plan.report_steps = false;
    }
    for (const auto& [name, command] : peers)
        if (times[name].empty())
            std::printf("%-24s could not be run: %s\n", name.c_str(), command[0].c_str());
    const double own = median(times["reeve"]);
    for (const auto& [name, values] : times)
        if (!values.empty())
            std::printf("%-24s %8.2f ms  %6.2f of reeve\n", name.c_str(), median(values),
                        median(values) / own);
    std::vector<std::pair<double, std::string>> shares;
    for (const auto& [step, values] : steps) shares.emplace_back(median(values), step);
    std::sort(shares.rbegin(), shares.rend());
    for (const auto& [time, step] : shares) std::printf("  %-22s %8.0f us\n", step.c_str(), time);
    return 0;
}
