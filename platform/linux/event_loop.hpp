// One thread's wait for descriptors, timers and work that other threads hand over: epoll(7), timerfd_create(2),
// eventfd(2). It sleeps without a timeout when nothing is due.
//
// All calls but post() and stop() are for the thread that runs the loop (or for the time before it does).
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <unordered_map>
#include <vector>

#include "platform/fd.hpp"
#include "platform/result.hpp"

namespace reeve::platform {

class EventLoop {
  public:
    using Handler = std::function<void(std::uint32_t events)>;  // EPOLL* bits
    using Work = std::function<void()>;
    using TimerId = std::uint64_t;

    static Result<std::unique_ptr<EventLoop>> create();
    EventLoop(const EventLoop&) = delete;
    EventLoop& operator=(const EventLoop&) = delete;
    ~EventLoop();

    // `fd` stays the caller's, who calls forget() before it is closed. A handler may forget any descriptor,
    // its own too; none is called after that.
    Status watch(int fd, std::uint32_t events, Handler handler);
    void forget(int fd);

    // Once, not before `delay` has passed.
    TimerId after(std::chrono::milliseconds delay, Work work);
    void cancel(TimerId timer);

    // Any thread. In the order of the calls; what is posted after stop() is dropped with the loop.
    void post(Work work);
    void stop();

    Status run();  // until stop()

  private:
    EventLoop() = default;
    struct Watched;
    struct Timer {
        TimerId id;
        Work work;
    };
    using Clock = std::chrono::steady_clock;

    void take_posted();
    void run_due();
    void set_alarm();

    Fd epoll_, wake_, alarm_;
    std::unordered_map<int, std::shared_ptr<Watched>> watched_;
    std::multimap<Clock::time_point, Timer> timers_;
    TimerId next_timer_ = 1;
    std::mutex mutex_;
    std::vector<Work> posted_;
    bool stop_ = false;
};

}  // namespace reeve::platform
