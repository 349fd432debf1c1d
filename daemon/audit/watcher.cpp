#include "daemon/audit/watcher.hpp"

#include <poll.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <time.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <future>

namespace reeve::audit {
namespace {

namespace watch = platform::watch;
using platform::Fd;
using platform::Result;
using platform::Status;

constexpr int kReadsInTurn = 16;  // of one group, so that no session keeps the others waiting
constexpr int kFullRetryMs = 50;  // while the sink takes nothing, which is not rest

std::unexpected<platform::Error> unknown(const std::string& session) {
    return platform::error("watch the session", session, "it is not watched");
}

std::uint64_t monotonic_ns() {
    const auto now = std::chrono::steady_clock::now().time_since_epoch();
    return static_cast<std::uint64_t>(std::chrono::nanoseconds(now).count());
}

}  // namespace

std::size_t LogSink::append(std::span<const Record> records) {
    return log_.offer(records);
}

std::uint64_t LogSink::last_seq() const {
    return log_.position().seq;
}

Watcher::Watcher(Sink& sink, WatcherOptions options)
    : options_(options),
      pipeline_(sink, options.pipeline),
      set_(epoll_create1(EPOLL_CLOEXEC)),
      wake_(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)) {}

Result<std::unique_ptr<Watcher>> Watcher::start(Sink& sink, WatcherOptions options) {
    std::unique_ptr<Watcher> watcher(new Watcher(sink, options));
    if (!watcher->set_ || !watcher->wake_) return platform::os_error("start the watch", "");
    epoll_event event{};
    event.events = EPOLLIN;
    event.data.ptr = nullptr;
    if (epoll_ctl(watcher->set_.get(), EPOLL_CTL_ADD, watcher->wake_.get(), &event) != 0)
        return platform::os_error("start the watch", "");
    watcher->thread_ = std::thread(&Watcher::run, watcher.get());
    pthread_setname_np(watcher->thread_.native_handle(), "reeve-watch");
    return watcher;
}

Watcher::~Watcher() {
    if (!thread_.joinable()) return;
    perform([this] { stop_ = true; });
    thread_.join();
}

void Watcher::wake() {
    const std::uint64_t one = 1;
    // Fails only where the counter is full, and then it is awake.
    if (write(wake_.get(), &one, sizeof one) < 0) return;
}

void Watcher::perform(std::function<void()> command) {
    const auto done = std::make_shared<std::promise<void>>();
    {
        const std::scoped_lock lock(mutex_);
        commands_.push_back([&command, done] {
            command();
            done->set_value();
        });
    }
    wake();
    done->get_future().wait();
}

// --- in the thread ---

int Watcher::timeout_ms() {
    if (full_) return kFullRetryMs;
    if (behind_) return 0;
    const auto due = pipeline_.due_ns();
    if (!due) return -1;
    const std::uint64_t now = monotonic_ns();
    return *due <= now ? 0 : static_cast<int>((*due - now) / 1'000'000 + 1);
}

// While the sink is full, only commands are waited for: the sources would be ready all the time.
void Watcher::wait(int timeout_ms, std::vector<Source*>& ready) {
    ready.clear();
    std::array<epoll_event, 64> events;
    if (full_) {
        pollfd entry{wake_.get(), POLLIN, 0};
        poll(&entry, 1, timeout_ms);
        timeout_ms = 0;
    }
    const int count = epoll_wait(set_.get(), events.data(), static_cast<int>(events.size()), timeout_ms);
    for (int i = 0; i < count; ++i) {
        auto* source = static_cast<Source*>(events[static_cast<std::size_t>(i)].data.ptr);
        if (source != nullptr) ready.push_back(source);
    }
    std::uint64_t woken;
    if (read(wake_.get(), &woken, sizeof woken) < 0) return;  // nobody had called
}

void Watcher::run() {
    std::vector<Source*> ready;
    std::vector<std::function<void()>> commands;
    while (!stop_) {
        wait(timeout_ms(), ready);
        bool some = false;
        behind_ = false;
        for (Source* source : ready) {
            if (full_ || source->dead) continue;
            some = true;
            if (!source->read(*this)) behind_ = true;
        }
        settle_ends(ready);
        full_ = !pipeline_.flush(Pipeline::Flush::kDue);
        {
            const std::scoped_lock lock(mutex_);
            commands.swap(commands_);
        }
        for (const auto& command : commands) command();
        commands.clear();
        if (some && !behind_ && !stop_) {
            pollfd entry{wake_.get(), POLLIN, 0};
            poll(&entry, 1, static_cast<int>(options_.rest.count()));
        }
    }
    pipeline_.flush(Pipeline::Flush::kAll);
}

// False where the sink takes no more and too much waits.
bool Watcher::make_room() {
    if (!pipeline_.has_room() && !pipeline_.flush(Pipeline::Flush::kHalf)) full_ = true;
    return pipeline_.has_room();
}

// True when the queue was seen empty.
bool Watcher::read_some(Group& group) {
    const auto& session = group.owner->session;
    for (int reads = 0; reads < kReadsInTurn; ++reads) {
        if (!make_room()) return false;
        const auto events = group.reader.read();
        if (!events) {
            pipeline_.dropped(session, events.error().why, group.queue);
            // EMFILE and what opening an object gave cost that one event; anything else would come again for
            // ever.
            if (events.error().code == 0 || events.error().code == EBADF || events.error().code == EINVAL) {
                stop_waiting(group.reader.group(), group);
                return true;
            }
            continue;
        }
        if (events->empty()) {
            pipeline_.drained(session, group.queue);
            return true;
        }
        pipeline_.take(session, *events, group.queue);
    }
    return false;
}

bool Watcher::read_groups(Watched& watched) {
    bool all = true;
    for (const auto& group : watched.groups) all = (group->dead || read_some(*group)) && all;
    return all;
}

// That a process has ended is recorded once all queues of its session have been seen empty: also one that has
// nothing to say.
void Watcher::settle_ends(const std::vector<Source*>& ready) {
    for (Source* source : ready) {
        Watched& watched = *source->owner;
        const auto settle = [&](auto& others) {
            for (const auto& other : others) {
                if (full_ || other->dead || other.get() == source || !watched.session->processes.unsettled())
                    continue;
                if (!read_some(*other)) behind_ = true;
            }
        };
        settle(watched.channels);
        settle(watched.groups);
    }
}

Status Watcher::await(int fd, Source& source) {
    epoll_event event{};
    event.events = EPOLLIN;
    event.data.ptr = &source;
    if (epoll_ctl(set_.get(), EPOLL_CTL_ADD, fd, &event) != 0)
        return platform::os_error("watch the session", source.owner->id);
    return {};
}

void Watcher::stop_waiting(int fd, Source& source) {
    source.dead = true;
    source.owner->session->processes.queue_ends(source.queue);
    epoll_ctl(set_.get(), EPOLL_CTL_DEL, fd, nullptr);
}

Watcher::Watched* Watcher::find(const std::string& session) {
    const auto found = sessions_.find(session);
    return found != sessions_.end() ? found->second.get() : nullptr;
}

Status Watcher::join(Fd& fd, watch::Reports reports, Watched& watched) {
    if (!fd) return {};
    const int number = fd.get();
    auto group = std::make_unique<Group>(watch::Reader(std::move(fd), reports));
    group->owner = &watched;
    group->queue = watched.groups.size();
    if (auto s = await(number, *group); !s) return s;
    watched.groups.push_back(std::move(group));
    return {};
}

// Others may hold what is waited for too, so that closing it here does not end its being waited for.
void Watcher::leave(Watched& watched) {
    for (const auto& channel : watched.channels)
        epoll_ctl(set_.get(), EPOLL_CTL_DEL, channel->control.get(), nullptr);
    watched.channels.clear();
    for (auto& group : watched.groups) {
        epoll_ctl(set_.get(), EPOLL_CTL_DEL, group->reader.group(), nullptr);
        group->owner = nullptr;
        closer_.take(std::shared_ptr<Group>(std::move(group)));
    }
    watched.groups.clear();
}

// A session whose processes live on can bring events for ever: what was there at the call is at most what a
// queue holds by the time that it is first seen empty, or, for one that never is, what was read until the
// deadline.
bool Watcher::read_all(Watched& watched) {
    const std::uint64_t deadline = monotonic_ns() + 10'000'000'000;
    bool all = true;
    full_ = !pipeline_.flush(Pipeline::Flush::kDue);
    watched.session->processes.look_for_ends();
    const auto read = [&](const auto& sources) {
        for (const auto& source : sources) {
            bool done = source->dead;
            while (!done && (!full_ || pipeline_.has_room()) && monotonic_ns() < deadline)
                done = read_some(*source);
            all = all && done;
        }
    };
    read(watched.channels);
    read(watched.groups);
    return all;
}

Status Watcher::hand_on(Watched& watched) {
    do full_ = !pipeline_.flush(Pipeline::Flush::kAll);
    while (!full_ && pipeline_.take_ends(watched.session));
    if (full_) return platform::error("write down what a session did", "", "the log takes no more records");
    return {};
}

// --- from other threads ---

Status Watcher::add(WatchSetup setup) {
    Status status;
    perform([&] {
        const std::size_t queues = (setup.by_handle ? 1U : 0U) + (setup.by_descriptor ? 1U : 0U);
        auto watched = std::make_unique<Watched>();
        watched->id = setup.session;
        watched->session = std::make_shared<WatchedSession>(setup.context, setup.pid_namespace, queues);
        watched->session->began_ns = monotonic_ns();
        watched->session->empty_ns.fill(watched->session->began_ns);
        for (watch::Place& place : setup.places) {
            status = watched->session->locator.add(std::move(place));
            if (!status) return;
        }
        status = join(setup.by_handle, watch::Reports::kHandles, *watched);
        if (status) status = join(setup.by_descriptor, watch::Reports::kDescriptors, *watched);
        if (status && find(setup.session) != nullptr)
            status = platform::error("watch the session", setup.session, "it is watched already");
        if (status)
            sessions_.emplace(setup.session, std::move(watched));
        else
            leave(*watched);
    });
    return status;
}

Status Watcher::add_place(const std::string& session, watch::Place place) {
    Status status;
    perform([&] {
        Watched* watched = find(session);
        status =
            watched != nullptr ? watched->session->locator.add(std::move(place)) : Status(unknown(session));
    });
    return status;
}

Status Watcher::update(const std::string& session, std::shared_ptr<const SessionContext> context) {
    Status status;
    perform([&] {
        Watched* watched = find(session);
        if (watched == nullptr)
            status = unknown(session);
        else
            watched->session->context = std::move(context);
    });
    return status;
}

Result<Counts> Watcher::drain(const std::string& session) {
    Result<Counts> result;
    perform([&] {
        Watched* watched = find(session);
        if (watched == nullptr) {
            result = unknown(session);
            return;
        }
        read_all(*watched);
        const Status status = hand_on(*watched);
        result = status ? Result<Counts>(watched->session->counts) : std::unexpected(status.error());
    });
    return result;
}

Result<Counts> Watcher::remove(const std::string& session) {
    Result<Counts> result;
    perform([&] {
        Watched* watched = find(session);
        if (watched == nullptr) {
            result = unknown(session);
            return;
        }
        const bool all = read_all(*watched);
        Status status = hand_on(*watched);  // which makes the room that the rest needs
        for (const auto& channel : watched->channels)
            if (!channel->dead)
                pipeline_.dropped(watched->session,
                                  "the session ended before " + channel->name + " had told all",
                                  channel->queue);
        pipeline_.closed(watched->session, all);
        if (status) status = hand_on(*watched);
        result = status ? Result<Counts>(watched->session->counts) : std::unexpected(status.error());
        leave(*watched);
        removed_.push_back(std::move(watched->session));
        sessions_.erase(session);
        settle();
    });
    return result;
}

// What a removed session counted is kept, itself only until the last of its records has been taken.
void Watcher::settle() {
    std::erase_if(removed_, [&](const auto& session) {
        if (session.use_count() > 1) return false;  // what waits to be recorded is of it
        settled_ += session->counts;
        return true;
    });
}

Result<Counts> Watcher::counts(const std::string& session) {
    Result<Counts> result;
    perform([&] {
        Watched* watched = find(session);
        result =
            watched != nullptr ? Result<Counts>(watched->session->counts) : Result<Counts>(unknown(session));
    });
    return result;
}

Counts Watcher::total() {
    Counts counts;
    perform([&] {
        settle();
        counts = settled_;
        for (const auto& left : removed_) counts += left->counts;
        for (const auto& [id, watched] : sessions_) counts += watched->session->counts;
    });
    return counts;
}

}  // namespace reeve::audit
