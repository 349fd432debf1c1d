#include "platform/linux/event_loop.hpp"

#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/timerfd.h>

#include <algorithm>
#include <array>

namespace reeve::platform {

struct EventLoop::Watched {
    Handler handler;
    bool forgotten = false;
};

Result<std::unique_ptr<EventLoop>> EventLoop::create() {
    std::unique_ptr<EventLoop> loop(new EventLoop);
    loop->epoll_.reset(::epoll_create1(EPOLL_CLOEXEC));
    loop->wake_.reset(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
    loop->alarm_.reset(::timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK));
    if (!loop->epoll_ || !loop->wake_ || !loop->alarm_) return os_error("make an event loop", "");
    EventLoop* self = loop.get();
    if (auto s = loop->watch(loop->wake_.get(), EPOLLIN, [self](std::uint32_t) { self->take_posted(); }); !s)
        return std::unexpected(s.error());
    if (auto s = loop->watch(loop->alarm_.get(), EPOLLIN, [self](std::uint32_t) { self->run_due(); }); !s)
        return std::unexpected(s.error());
    return loop;
}

EventLoop::~EventLoop() = default;

Status EventLoop::watch(int fd, std::uint32_t events, Handler handler) {
    epoll_event event{};
    event.events = events;
    event.data.fd = fd;
    const bool known = watched_.contains(fd);
    if (::epoll_ctl(epoll_.get(), known ? EPOLL_CTL_MOD : EPOLL_CTL_ADD, fd, &event) != 0)
        return os_error("wait for a descriptor", std::to_string(fd));
    if (known) watched_[fd]->forgotten = true;  // an event of this turn is not for the new handler
    watched_[fd] = std::make_shared<Watched>(Watched{std::move(handler)});
    return {};
}

void EventLoop::forget(int fd) {
    const auto found = watched_.find(fd);
    if (found == watched_.end()) return;
    found->second->forgotten = true;
    watched_.erase(found);
    ::epoll_ctl(epoll_.get(), EPOLL_CTL_DEL, fd, nullptr);
}

EventLoop::TimerId EventLoop::after(std::chrono::milliseconds delay, Work work) {
    const TimerId id = next_timer_++;
    timers_.emplace(Clock::now() + delay, Timer{id, std::move(work)});
    set_alarm();
    return id;
}

void EventLoop::cancel(TimerId timer) {
    std::erase_if(timers_, [&](const auto& entry) { return entry.second.id == timer; });
    set_alarm();
}

void EventLoop::set_alarm() {
    itimerspec when{};
    if (!timers_.empty()) {
        const auto due = timers_.begin()->first.time_since_epoch();  // steady_clock is CLOCK_MONOTONIC here
        // An absolute time of zero would disarm it.
        const auto ns =
            std::max<std::int64_t>(1, std::chrono::duration_cast<std::chrono::nanoseconds>(due).count());
        when.it_value = {.tv_sec = ns / 1'000'000'000, .tv_nsec = ns % 1'000'000'000};
    }
    ::timerfd_settime(alarm_.get(), TFD_TIMER_ABSTIME, &when, nullptr);
}

void EventLoop::run_due() {
    std::uint64_t expirations = 0;
    (void)!::read(alarm_.get(), &expirations, sizeof expirations);
    const auto now = Clock::now();
    while (!timers_.empty() && timers_.begin()->first <= now) {
        const Work work = std::move(timers_.begin()->second.work);
        timers_.erase(timers_.begin());
        work();
    }
    set_alarm();
}

void EventLoop::post(Work work) {
    {
        const std::lock_guard lock(mutex_);
        posted_.push_back(std::move(work));
    }
    const std::uint64_t one = 1;
    (void)!::write(wake_.get(), &one, sizeof one);  // EAGAIN: it is readable already
}

void EventLoop::take_posted() {
    std::uint64_t count = 0;
    (void)!::read(wake_.get(), &count, sizeof count);
    std::vector<Work> posted;
    {
        const std::lock_guard lock(mutex_);
        posted.swap(posted_);
    }
    for (const Work& work : posted) work();
}

void EventLoop::stop() {
    post([this] { stop_ = true; });
}

Status EventLoop::run() {
    std::array<epoll_event, 64> events;
    while (!stop_) {
        const int count = ::epoll_wait(epoll_.get(), events.data(), static_cast<int>(events.size()), -1);
        if (count < 0 && errno == EINTR) continue;
        if (count < 0) return os_error("wait for events", "");
        // Held for the turn, so that a handler that forgets another keeps it from being called.
        std::vector<std::pair<std::shared_ptr<Watched>, std::uint32_t>> turn;
        for (int i = 0; i < count; ++i) {
            const epoll_event event = events[static_cast<std::size_t>(i)];
            const int fd = event.data.fd;  // a copy: the struct is packed
            const auto found = watched_.find(fd);
            if (found != watched_.end()) turn.emplace_back(found->second, std::uint32_t{event.events});
        }
        for (const auto& [watched, bits] : turn)
            if (!watched->forgotten) watched->handler(bits);
    }
    return {};
}

}  // namespace reeve::platform
