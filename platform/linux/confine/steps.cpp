// The recipe of a session. The order is the security of it; each line says what the next ones rely on.
#include "platform/linux/confine/steps.hpp"

#include <fcntl.h>
#include <signal.h>
#include <sys/prctl.h>
#include <time.h>
#include <unistd.h>

#include <algorithm>

#include "platform/linux/confine/handover.hpp"
#include "platform/linux/confine/network.hpp"
#include "platform/linux/confine/setup.hpp"
#include "platform/linux/confine/wire.hpp"
#include "platform/linux/memfd.hpp"
#include "platform/linux/seqpacket.hpp"

namespace reeve::platform::confine {
namespace {

Status take_host_name(Setup& setup) {
    return set_host_name(setup.plan.session);
}

struct Step {
    const char* name;
    Status (*run)(Setup&);
};

// As root, in new pid, network, IPC and UTS namespaces (the spawner made them) and the session's cgroup (it
// was born there).
constexpr Step kAsRoot[] = {
#ifdef REEVE_TEST_HOLES
    {"holes", stay_in_host_namespaces},
#endif
    {"limits", enter_limits},  // first, so that all that follows counts
    {"zones", clone_zones},    // while the host's mounts are still there to clone
    {"stream_files", take_streams},
    {"mount_namespace", leave_host_mounts},
    {"root", make_root},
    {"private_directories", make_private_directories},
    {"veil", take_veil},
    {"devices", make_devices},
    {"proc", make_proc},
    {"assemble", put_in_place},
    {"masks", mask_paths},
    {"pivot_root", change_root},  // the host's tree is gone from here on
    {"watch", report_private_mounts},
    {"host_name", take_host_name},
    {"terminal", open_terminal},
    {"memfd", refuse_executable_memory},
    {"landlock", enter_landlock},  // after the last change of mounts, which it forbids
    {"identity", become_person},   // no longer root
    {"user_namespace", enter_user_namespace},
};

// In the command's process, with all capabilities in the user namespace and none outside.
constexpr Step kAsCommand[] = {
    {"terminal_group", take_terminal},
    {"nested_namespaces", forbid_namespaces},
    {"capabilities", drop_capabilities},
    {"working_directory", enter_working_directory},  // by the rights that are left
    {"streams", set_streams},
    {"syscalls", enter_filter},  // last: it refuses much of the above
};

// In the first process.
constexpr Step kAsInit[] = {{"init_capabilities", drop_capabilities}, {"init_syscalls", enter_filter}};

std::uint64_t now() {
    timespec time{};
    ::clock_gettime(CLOCK_MONOTONIC, &time);
    return static_cast<std::uint64_t>(time.tv_sec) * 1'000'000'000u +
           static_cast<std::uint64_t>(time.tv_nsec);
}

[[noreturn]] void fail(const Setup& setup, const std::string& step, const Error& error) {
    (void)send_packet(setup.link.get(), wire::packet(wire::Kind::kStepFailed, step, error));
    ::_exit(125);
}

void run(Setup& setup, std::span<const Step> steps) {
    std::uint64_t before = now();
    for (const Step& step : steps) {
        if (auto done = step.run(setup); !done) fail(setup, step.name, done.error());
        if (!setup.plan.report_steps) continue;
        const std::uint64_t after = now();
        (void)send_packet(setup.link.get(),
                          wire::packet(wire::Kind::kStepDone, std::string(step.name), after - before));
        before = now();
    }
}

Status check(const Plan& plan) {
#ifndef REEVE_TEST_HOLES
    if (!plan.without.empty())
        return error("read the plan", plan.session, "it leaves out " + plan.without[0],
                     "only the tests' reeve-confine-holes does that");
#endif
    const Person& person = plan.person;
    constexpr auto kLeaveIt = static_cast<uid_t>(-1);  // what setresuid() takes for no change
    if (person.uid == 0 || person.uid == kLeaveIt || person.gid == kLeaveIt)
        return error("read the plan", plan.session, "a session never has these ids",
                     "name a person's account");
    if (plan.command.empty() || plan.command[0].empty())
        return error("read the plan", plan.session, "no command");
    if (plan.session.empty() || plan.session.size() > 64 || plan.session.find('/') != std::string::npos)
        return error("read the plan", plan.session, "not the name of a session");
    return {};
}

Status take_over(Setup& setup) {
    auto bytes = read_memfd(kPlanFd, true);
    if (!bytes) return std::unexpected(bytes.error());
    Extras extras;
    if (bytes->size() < sizeof extras) return error("read the plan", "", "it is too short");
    std::copy_n(bytes->data(), sizeof extras, reinterpret_cast<char*>(&extras));
    auto plan = Plan::decode(std::string_view(*bytes).substr(sizeof extras));
    if (!plan) return std::unexpected(plan.error());
    setup.plan = std::move(*plan);
    setup.filter.reset(kFilterFd);
    setup.notify_filter.reset(kNotifyFilterFd);
    int next = kFirstExtra;
    for (int i = 0; i < 3; ++i)
        if (extras.streams[i] != 0) setup.streams[i].reset(next++);
    if (extras.watch != 0) setup.watch.reset(next++);
    if (extras.watch_by_fd != 0) setup.watch_by_fd.reset(next++);
    if (extras.keeper != 0) setup.keeper.reset(next++);
    if (extras.veil != 0) setup.veil.reset(next++);
    for (int i = 0; i < extras.limit_groups; ++i) setup.limit_groups.emplace_back(next++);
    const bool terminal[3] = {setup.plan.terminal.standard_input, setup.plan.terminal.standard_output,
                              setup.plan.terminal.standard_error};
    for (int i = 0; i < 3; ++i)
        if (terminal[i] == static_cast<bool>(setup.streams[i]))
            return error("read the plan", "", "each stream is either the terminal or a descriptor");
    return check(setup.plan);
}

// What reeved hears before anything of the command runs.
void report_started(Setup& setup) {
    const int master = setup.master.get();
    auto sent = send_packet(setup.link.get(), wire::packet(wire::Kind::kStarted),
                            std::span(&master, setup.master ? 1 : 0));
    if (!sent) ::_exit(125);  // nobody is there to end this session
}

}  // namespace

void run_session() {
    // Both until the command runs: a background process that takes the foreground gets SIGTTOU.
    sigset_t held;
    ::sigemptyset(&held);
    ::sigaddset(&held, SIGCHLD);
    ::sigaddset(&held, SIGTTOU);
    ::pthread_sigmask(SIG_BLOCK, &held, nullptr);

    Setup setup;
    setup.link.reset(kLinkFd);
    if (auto taken = take_over(setup); !taken) fail(setup, "plan", taken.error());
    run(setup, kAsRoot);
    if (setup.command == 0) {
        run(setup, kAsCommand);
        report_started(setup);
        run_command(setup);
    }
    setup.master.reset();
    for (Fd& stream : setup.streams) stream.reset();
    setup.watch.reset();
    setup.watch_by_fd.reset();
    setup.keeper.reset();
    setup.limit_groups.clear();
    run(setup, kAsInit);
    be_init(setup);
}

}  // namespace reeve::platform::confine
