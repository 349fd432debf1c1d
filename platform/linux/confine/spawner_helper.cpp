#include "platform/linux/confine/spawner_helper.hpp"

#include <fcntl.h>
#include <grp.h>
#include <linux/sched.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstring>
#include <iterator>
#include <vector>

#include "platform/linux/confine/handover.hpp"
#include "platform/linux/confine/networks.hpp"
#include "platform/linux/confine/vfork.hpp"
#include "platform/linux/confine/wire.hpp"
#include "platform/linux/seqpacket.hpp"

namespace reeve::platform::confine {
namespace {

// Where the helper keeps its own descriptors (what it receives lies below), and where the child lets those that it was
// given wait for their places.
constexpr int kOwn = 100;
constexpr int kScratch = 200;
static_assert(kFirstExtra + kMaxPacketFds < kOwn);

constexpr const char* kNames[kPrograms] = {"reeve-confine", "reeve-keeper", "reeve-veil",
                                           "reeve-egress"};  // by Kind

// What goes back: an answer with its descriptors, or with an Error.
struct Reply {
    SpawnAnswer answer;
    std::string error;
    std::vector<Fd> fds;
};

Reply failure(const Error& error) {
    return {.error = wire::encoded(error)};
}

// A request that was looked at.
struct Job {
    SpawnRequest request;
    std::vector<gid_t> groups;
    std::vector<int> fds;  // from kPlanFd on
    int cgroup = -1;
};

Result<Job> read_job(const Packet& packet) {
    Job job;
    const auto wrong = [] { return error("read the request", "", "malformed"); };
    if (packet.bytes.size() < sizeof job.request) return wrong();
    std::memcpy(&job.request, packet.bytes.data(), sizeof job.request);
    const std::string_view rest = std::string_view(packet.bytes).substr(sizeof job.request);
    const auto kind = static_cast<std::uint32_t>(job.request.kind);
    if (kind >= kPrograms || rest.size() != job.request.groups * sizeof(gid_t)) return wrong();
    job.groups.resize(job.request.groups);
    if (!rest.empty()) std::memcpy(job.groups.data(), rest.data(), rest.size());
    for (const Fd& fd : packet.fds) job.fds.push_back(fd.get());
    if (job.request.cgroup != 0) {
        if (job.fds.empty()) return wrong();
        job.cgroup = job.fds.front();
        job.fds.erase(job.fds.begin());
    }
    const bool companion = job.request.kind != Kind::confine;
    if (job.fds.size() < 2 || (companion && job.request.uid == 0)) return wrong();
    return job;
}

// In the child: puts `fds` at kPlanFd and up; all others close themselves.
void place_fds(std::span<const int> fds) {
    for (std::size_t i = 0; i < fds.size(); ++i)
        if (::dup3(fds[i], kScratch + static_cast<int>(i), O_CLOEXEC) < 0) ::_exit(1);
    for (std::size_t i = 0; i < fds.size(); ++i)
        if (::dup2(kScratch + static_cast<int>(i), kPlanFd + static_cast<int>(i)) < 0) ::_exit(1);
    ::signal(SIGCHLD, SIG_DFL);
}

// AT_EMPTY_PATH: the file that was opened when reeved began, whatever stands under its name today.
void execute(int program, const char* name) {
    char* const arguments[] = {const_cast<char*>(name), nullptr};
    char* const environment[] = {nullptr};
    ::syscall(SYS_execveat, program, "", arguments, environment, AT_EMPTY_PATH);
}

// A failure is told over the link.
[[noreturn]] void become_confine(int program, const Job& job) {
    place_fds(job.fds);
    execute(program, kNames[0]);
    const Error error = os_error("start", "reeve-confine").error();
    (void)send_packet(kLinkFd, wire::packet(wire::Kind::kStepFailed, std::string("exec"), error));
    ::_exit(1);
}

// The person's ids and nothing else: leaving uid 0 takes every capability, and nothing gives one back. A failure
// shows by the end of its control socket. `host`: what it leaves the namespaces of a session to come for; may be null.
[[noreturn]] void become_companion(int program, const Job& job, pid_t helper, const Namespaces* host) {
    if (host != nullptr && !host->enter()) ::_exit(1);
    place_fds(job.fds);
    const SpawnRequest& who = job.request;
    if (::setgroups(job.groups.size(), job.groups.data()) != 0 ||
        ::setresgid(who.gid, who.gid, who.gid) != 0 || ::setresuid(who.uid, who.uid, who.uid) != 0 ||
        ::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0)
        ::_exit(1);
    // One that is stopped does not see its sockets close. After the change of ids, which would take it back.
    if (::prctl(PR_SET_PDEATHSIG, SIGKILL) != 0 || ::getppid() != helper) ::_exit(1);
    sigset_t none;
    ::sigemptyset(&none);
    ::pthread_sigmask(SIG_SETMASK, &none, nullptr);
    execute(program, kNames[static_cast<std::size_t>(who.kind)]);
    ::_exit(1);
}

class Helper {
  public:
    explicit Helper(HelperFds fds) : fds_(std::move(fds)), host_(Namespaces::own()) {}

    [[noreturn]] void run(const Fd& children) {
        while (true) {
            // Here and not at the next request: this is the millisecond that a launch is spared.
            (void)networks_.prepare();  // tried again when one is needed
            pollfd events[] = {{fds_.socket.get(), POLLIN, 0}, {children.get(), POLLIN, 0}};
            if (::poll(events, 2, -1) < 0 && errno != EINTR) ::_exit(1);
            if (events[1].revents != 0) tell_stopped(children);
            if (events[0].revents == 0) continue;
            auto packet = receive_packet(fds_.socket.get());
            if (!packet || packet->end) ::_exit(0);
            answer(*packet);
        }
    }

  private:
    // Signals of several children are one: each child is asked.
    void tell_stopped(const Fd& children) {
        signalfd_siginfo info;
        while (::read(children.get(), &info, sizeof info) > 0) {
        }
        siginfo_t child{};
        while (::waitid(P_ALL, 0, &child, WSTOPPED | WNOHANG) == 0 && child.si_pid != 0) {
            const std::int32_t pid = child.si_pid;
            (void)send_packet(fds_.stopped.get(), {reinterpret_cast<const char*>(&pid), sizeof pid});
            child = {};
        }
    }

    void answer(const Packet& packet) {
        const Reply reply = reply_to(packet);
        std::vector<int> sent;
        for (const Fd& fd : reply.fds) sent.push_back(fd.get());
        const std::string bytes = std::string(wire::bytes_of(reply.answer)) + reply.error;
        if (!send_packet(fds_.socket.get(), bytes, sent)) ::_exit(1);
    }

    Reply reply_to(const Packet& packet) {
        SpawnRequest request;
        if (packet.bytes.size() == sizeof request) {
            std::memcpy(&request, packet.bytes.data(), sizeof request);
            if (request.kind == Kind::doors) return hand_out_doors();
        }
        auto job = read_job(packet);
        return job ? start(*job) : failure(job.error());
    }

    Reply hand_out_doors() {
        auto taken = networks_.take_doors();
        if (!taken) return failure(taken.error());
        Reply reply;
        reply.answer.network = taken->number;
        for (std::size_t i = 0; i < network::kDoors; ++i) {
            Fd& door = taken->doors.fds[i];
            if (!door) continue;
            reply.answer.doors |= 1U << i;
            reply.fds.push_back(std::move(door));
        }
        return reply;
    }

    Reply start(Job& job) {
        const Kind kind = job.request.kind;
        const Fd& program = fds_.programs[static_cast<std::size_t>(kind)];
        if (!program) return failure(error("start a companion", "", "it is not installed").error());
        if (kind == Kind::egress && !host_) return failure(host_.error());
        // Never in a used one, which a companion would keep alive.
        auto entered = kind == Kind::confine ? networks_.enter(job.request.network) : networks_.prepare();
        if (!entered) return failure(entered.error());
        if (kind == Kind::confine)
            job.fds.insert(job.fds.begin() + (kFilterFd - kPlanFd),
                           {fds_.filter.get(), fds_.notify_filter.get()});
        auto reply = make_process(job, program.get());
        if (kind == Kind::confine) networks_.used();
        return reply;
    }

    Reply make_process(const Job& job, int program) {
        const bool confine = job.request.kind == Kind::confine;
        int pidfd = -1;
        clone_args arguments{};
        arguments.flags = CLONE_PIDFD | (confine ? CLONE_NEWPID : 0);
        arguments.pidfd = reinterpret_cast<std::uintptr_t>(&pidfd);
        arguments.exit_signal = SIGCHLD;
        if (job.cgroup >= 0) {
            arguments.flags |= CLONE_INTO_CGROUP;
            arguments.cgroup = static_cast<std::uint64_t>(job.cgroup);
        }
        struct Child {
            int program;
            const Job& job;
        } child{program, job};
        const pid_t helper = ::getpid();
        // Not for companions: what has the person's ids is never in root's memory.
        const long pid = confine ? vfork_child(
                                       arguments,
                                       [](void* data) {
                                           const auto* one = static_cast<const Child*>(data);
                                           become_confine(one->program, one->job);
                                       },
                                       &child)
                                 : ::syscall(SYS_clone3, &arguments, sizeof arguments);
        if (pid == 0)
            become_companion(program, job, helper, job.request.kind == Kind::egress ? &*host_ : nullptr);
        if (pid < 0) return failure(os_error("make the process", "").error());
        Reply reply;
        reply.answer.pid = static_cast<std::int32_t>(pid);
        reply.fds.emplace_back(pidfd);
        return reply;
    }

    HelperFds fds_;
    Result<Namespaces> host_;  // opened before this process is in any session's
    Networks networks_;
};

// Closes all but `kept`, which move out of the way of everything that comes later; gives them in the same order.
std::vector<int> keep_only(const std::vector<int>& kept) {
    std::vector<int> aside, own;
    for (const int fd : kept) aside.push_back(fd < 0 ? -1 : ::fcntl(fd, F_DUPFD_CLOEXEC, kScratch));
    for (std::size_t i = 0; i < aside.size(); ++i) {
        own.push_back(aside[i] < 0 ? -1 : kOwn + static_cast<int>(i));
        if (aside[i] >= 0 && ::dup3(aside[i], own.back(), O_CLOEXEC) < 0) ::_exit(1);
    }
    ::close_range(3, kOwn - 1, 0);
    ::close_range(static_cast<unsigned>(kOwn) + static_cast<unsigned>(kept.size()), ~0U, 0);
    return own;
}

}  // namespace

void run_spawner_helper(HelperFds fds) {
    ::prctl(PR_SET_NAME, "reeve-spawner");
    ::prctl(PR_SET_DUMPABLE, 0);
    // Its children are reaped by the kernel; who waits for them has their pidfds. That one was stopped is told here.
    struct sigaction reaped {};
    reaped.sa_handler = SIG_DFL;
    reaped.sa_flags = SA_NOCLDWAIT;
    ::sigaction(SIGCHLD, &reaped, nullptr);
    sigset_t child;
    ::sigemptyset(&child);
    ::sigaddset(&child, SIGCHLD);
    ::pthread_sigmask(SIG_BLOCK, &child, nullptr);
    // Ctrl-C in reeved's terminal is for reeved to answer; this process ends when reeved has.
    ::setsid();
    std::vector<int> given{fds.socket.release(), fds.stopped.release(), fds.filter.release(),
                           fds.notify_filter.release()};
    for (Fd& program : fds.programs) given.push_back(program ? program.release() : -1);
    const std::vector<int> own = keep_only(given);
    Fd* const back[] = {&fds.socket, &fds.stopped, &fds.filter, &fds.notify_filter};
    for (std::size_t i = 0; i < own.size(); ++i)
        if (own[i] >= 0) (i < std::size(back) ? *back[i] : fds.programs[i - std::size(back)]).reset(own[i]);
    const Fd null(::open("/dev/null", O_RDWR | O_CLOEXEC));
    if (!null) ::_exit(1);
    for (int fd = 0; fd < 3; ++fd)
        if (::dup2(null.get(), fd) < 0) ::_exit(1);
    const Fd children(::signalfd(-1, &child, SFD_CLOEXEC | SFD_NONBLOCK));
    if (!children) ::_exit(1);
    Helper(std::move(fds)).run(children);
}

}  // namespace reeve::platform::confine
