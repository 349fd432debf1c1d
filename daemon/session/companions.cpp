#include "daemon/session/companions.hpp"

#include <fcntl.h>
#include <sys/epoll.h>
#include <sys/socket.h>

#include <algorithm>
#include <utility>

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
}  // namespace

Result<std::unique_ptr<Companions>> Companions::start(platform::EventLoop& loop, confine::Spawner& spawner,
                                                      Recorder& recorder, const Wanted& wanted,
                                                      confine::StartFds& fds) {
    auto companions = std::unique_ptr<Companions>(new Companions(loop));
    const policy::Means& means = wanted.planned.means;
    if (!means.keeper && !means.veil) return companions;
    auto cgroup = platform::Cgroup::create(wanted.session + ".companions");
    if (!cgroup) return std::unexpected(cgroup.error());
    companions->cgroup_ = std::move(*cgroup);
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
        if (auto s = companions->start_one(spawner, recorder, wanted, setup, true, std::move(work->theirs));
            !s)
            return std::unexpected(s.error());
        setup.keeper = companions->processes_.back()->running.pid;
    }
    if (means.veil) {
        auto mount = platform::veil::make_mount(wanted.person.uid, wanted.person.gid);
        if (!mount) return std::unexpected(mount.error());
        fds.veil = std::move(mount->mount);
        if (auto s = companions->start_one(spawner, recorder, wanted, setup, false, std::move(mount->fuse));
            !s)
            return std::unexpected(s.error());
    }
    return companions;
}

Status Companions::start_one(confine::Spawner& spawner, Recorder& recorder, const Wanted& wanted,
                             access::Setup setup, bool keeper, Fd work) {
    auto bytes = platform::sealed_memfd("reeve-setup", setup.encode());
    auto control = platform::seqpacket_pair();
    auto group = cgroup_->directory();
    if (!bytes || !control || !group)
        return std::unexpected(!bytes ? bytes.error() : !control ? control.error() : group.error());
    const int sent[] = {bytes->get(), wanted.table->get(), control->theirs.get(), work.get()};
    auto running = keeper ? spawner.start_keeper(wanted.person, group->get(), sent)
                          : spawner.start_veil(wanted.person, group->get(), sent);
    if (!running) return std::unexpected(running.error());
    Fd second(::fcntl(control->ours.get(), F_DUPFD_CLOEXEC, 0));
    if (!second) return platform::os_error("keep a control socket", wanted.session);
    processes_.push_back(std::make_unique<Process>(keeper ? "reeve-keeper" : "reeve-veil",
                                                   std::move(*running), std::move(second)));
    const Process& process = *processes_.back();
    return recorder.reports(
        wanted.session,
        {.name = process.name, .control = std::move(control->ours), .pid = process.running.pid});
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
    for (const auto& process : processes_) {
        auto s = loop_.watch(process->running.pidfd.get(), EPOLLIN,
                             [this, &process = *process](std::uint32_t) { ended(process); });
        if (!s) return s;
    }
    return {};
}

void Companions::ended(Process& process) {
    loop_.forget(process.running.pidfd.get());
    process.gone = true;
    if (ended_) return settle();
    failed_(std::string(process.name) + " is gone");
}

void Companions::stopped(pid_t pid) {
    for (const auto& process : processes_) {
        if (process->gone || process->running.pid != pid) continue;
        loop_.after(kMostStopped, [this, alive = alive_, &process = *process] {
            if (!*alive || process.gone || ended_) return;
            const auto now = platform::watch::look_up(process.running.pid);
            if (now && now->state == 'T')
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
