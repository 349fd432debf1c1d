#include "daemon/session/companions.hpp"

#include <fcntl.h>
#include <signal.h>
#include <spdlog/spdlog.h>
#include <sys/epoll.h>
#include <sys/socket.h>

#include <algorithm>
#include <utility>
#include <vector>

#include "platform/linux/memfd.hpp"
#include "platform/linux/seqpacket.hpp"
#include "platform/linux/veil/mount.hpp"
#include "platform/watch.hpp"

namespace reeve::session {

namespace confine = platform::confine;
using platform::Fd;
using platform::Result;
using platform::Status;

namespace {
// As for the session's own group (session.cpp).
constexpr std::chrono::milliseconds kAgain{1}, kLongest{4096};

Result<Fd> another(const Fd& fd) {
    Fd copy(::fcntl(fd.get(), F_DUPFD_CLOEXEC, 0));
    if (!copy) return platform::os_error("keep a control socket", "");
    return copy;
}

}  // namespace

Result<std::unique_ptr<Companions>> Companions::start(platform::EventLoop& loop, confine::Spawner& spawner,
                                                      Recorder& recorder, const Wanted& wanted,
                                                      confine::StartFds& fds) {
    auto companions = std::unique_ptr<Companions>(new Companions(loop, spawner, recorder));
    if (auto s = companions->start_all(wanted, fds); !s) return std::unexpected(s.error());
    return companions;
}

Status Companions::start_all(const Wanted& wanted, confine::StartFds& fds) {
    const policy::Means& means = wanted.planned.means;
    const bool out = wanted.network != nullptr && wanted.egress_user != nullptr;
    if (!means.keeper && !means.veil && !out) return {};
    auto cgroup = platform::Cgroup::create(wanted.session + ".companions");
    if (!cgroup) return std::unexpected(cgroup.error());
    cgroup_ = std::move(*cgroup);
    if (out)
        if (auto s = take_way_out(wanted, fds); !s) return s;
    access::Setup setup{.session = wanted.session,
                        .home = wanted.home,
                        .places = places_of(wanted.planned),
                        .uid = wanted.person.uid,
                        .gid = wanted.person.gid,
                        .trap_reads = means.keeper_reads,
                        .canaries = wanted.policy.canaries(),
                        .files = wanted.planned.files};
    if (means.keeper) {
        auto work = platform::seqpacket_pair();
        if (!work) return std::unexpected(work.error());
        fds.keeper = std::move(work->ours);
        if (auto s = start_keeper(wanted, setup, std::move(work->theirs)); !s) return s;
        setup.keeper = processes_.back()->running.pid;
    }
    if (means.veil)
        if (auto s = start_veil(wanted, setup, fds); !s) return s;
    return way_out_ ? start_egress() : Status();
}

// What every companion is given first, beside what is its own.
struct Companions::Given {
    Fd setup, control, group;
};

Status Companions::start_one(const char* name, const std::string& session, const std::string& setup,
                             bool way_out, const Start& start) {
    auto bytes = platform::sealed_memfd("reeve-setup", setup);
    auto control = platform::seqpacket_pair();
    auto group = cgroup_->directory();
    if (!bytes || !control || !group)
        return std::unexpected(!bytes ? bytes.error() : !control ? control.error() : group.error());
    auto running = start({std::move(*bytes), std::move(control->theirs), std::move(*group)});
    auto second = another(control->ours);
    if (!running || !second) return std::unexpected(running ? second.error() : running.error());
    processes_.push_back(std::make_unique<Process>(name, std::move(*running), std::move(*second), way_out));
    return recorder_.reports(session, {.name = name,
                                       .control = std::move(control->ours),
                                       .pid = processes_.back()->running.pid,
                                       .network = way_out});
}

Status Companions::start_keeper(const Wanted& wanted, const access::Setup& setup, Fd work) {
    const Fd connections = std::move(connections_);
    return start_one("reeve-keeper", wanted.session, setup.encode(), false, [&](const Given& given) {
        std::vector<int> sent{given.setup.get(), wanted.table->get(), given.control.get(), work.get()};
        if (connections) sent.push_back(connections.get());
        return spawner_.start_keeper(wanted.person, given.group.get(), sent);
    });
}

Status Companions::start_veil(const Wanted& wanted, const access::Setup& setup, confine::StartFds& fds) {
    auto mount = platform::veil::make_mount(wanted.person.uid, wanted.person.gid);
    if (!mount) return std::unexpected(mount.error());
    fds.veil = std::move(mount->mount);
    return start_one("reeve-veil", wanted.session, setup.encode(), false, [&](const Given& given) {
        const int sent[] = {given.setup.get(), wanted.table->get(), given.control.get(), mount->fuse.get()};
        return spawner_.start_veil(wanted.person, given.group.get(), sent);
    });
}

// A kernel without the means for it starts sessions all the same: nothing leads out of them.
Status Companions::take_way_out(const Wanted& wanted, confine::StartFds& fds) {
    auto taken = spawner_.take_doors();
    if (!taken) {
        no_way_out_ = taken.error().text();
        return {};
    }
    auto processes = platform::seqpacket_pair();
    if (!processes) return std::unexpected(processes.error());
    const policy::Limits& limits = wanted.policy.settings().limits;
    way_out_ = WayOut{.user = *wanted.egress_user,
                      .setup = {.session = wanted.session,
                                .network = *wanted.network,
                                .host_upload = limits.host_upload.value_or(0),
                                .session_upload = limits.upload.value_or(0)},
                      .processes = std::move(processes->ours),
                      .doors = std::move(taken->doors)};
    connections_ = std::move(processes->theirs);
    fds.network = taken->network;
    return {};
}

Status Companions::start_egress() {
    const Fd null(::open("/dev/null", O_RDWR | O_CLOEXEC));
    if (!null) return platform::os_error("open", "/dev/null");
    const egress::Setup& setup = way_out_->setup;
    return start_one("reeve-egress", setup.session, setup.encode(), true, [&](const Given& given) {
        std::vector<int> sent{given.setup.get(), given.control.get(), way_out_->processes.get()};
        for (const Fd& door : way_out_->doors.fds) sent.push_back(door ? door.get() : null.get());
        return spawner_.start_egress(way_out_->user, given.group.get(), sent);
    });
}

Companions::~Companions() {
    *alive_ = false;
    if (patience_ != 0) loop_.cancel(patience_);
    for (const auto& process : processes_)
        if (!process->gone && failed_) loop_.forget(process->running.pidfd.get());
    if (!cgroup_) return;
    (void)cgroup_->kill();
    (void)cgroup_->remove(1000);
}

Status Companions::watch(std::function<void(const std::string&)> failed) {
    failed_ = std::move(failed);
    for (const auto& process : processes_)
        if (auto s = await(*process); !s) return s;
    return {};
}

Status Companions::await(Process& process) {
    return loop_.watch(process.running.pidfd.get(), EPOLLIN,
                       [this, &process](std::uint32_t) { ended(process); });
}

void Companions::ended(Process& process) {
    loop_.forget(process.running.pidfd.get());
    process.gone = true;
    if (ended_) return settle();
    if (process.way_out) return egress_ended();
    failed_(std::string(process.name) + " is gone");
}

// Who wants out meanwhile waits at the doors. Without them nobody is listening any more.
void Companions::egress_ended() {
    if (way_out_->setup.generation++ == 0) {
        auto s = start_egress();
        if (s) s = await(*processes_.back());
        if (s) return;
        spdlog::error("session {}: {}", way_out_->setup.session, s.error().text());
    }
    way_out_.reset();
}

void Companions::stopped(pid_t pid) {
    for (const auto& process : processes_) {
        if (process->gone || process->running.pid != pid) continue;
        loop_.after(kMostStopped, [this, alive = alive_, &process = *process] {
            if (!*alive || process.gone || ended_) return;
            const auto now = platform::watch::look_up(process.running.pid);
            if (!now || now->state != 'T') return;
            if (process.way_out)
                ::kill(process.running.pid, SIGKILL);
            else
                failed_(std::string(process.name) + " has been stopped for too long");
        });
    }
}

void Companions::kill() {
    if (cgroup_) (void)cgroup_->kill();
}

void Companions::finish(std::chrono::milliseconds patience, std::function<void()> ended) {
    ended_ = std::move(ended);
    for (const auto& process : processes_) ::shutdown(process->control.get(), SHUT_WR);
    patience_ = loop_.after(patience, [this] { kill(); });
    settle();
}

void Companions::settle() {
    if (!std::ranges::all_of(processes_, [](const auto& process) { return process->gone; })) return;
    loop_.post([this, alive = alive_] {
        if (*alive) remove(kAgain);
    });
}

void Companions::remove(std::chrono::milliseconds again) {
    const Status removed = cgroup_ ? cgroup_->remove(0) : Status();
    if (!removed && removed.error().code == EBUSY && again <= kLongest) {
        loop_.after(again, [this, alive = alive_, again] {
            if (*alive) remove(2 * again);
        });
        return;
    }
    cgroup_.reset();
    ended_();
}

}  // namespace reeve::session
