// The threads that take calls and work on them.
//
// A few take calls in turn. One that is about to wait for another process (a FIFO's other end, reeve-veil) says so
// (Waiting), and another thread takes its place, up to kMost; there are never fewer that take calls than at the start
// unless that many wait. Who watches over waits calls check_waits() from time to time while any() is true: it ends
// those whose caller is no more.
#pragma once

#include <pthread.h>

#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <functional>
#include <mutex>
#include <thread>
#include <vector>

#include "daemon/keeper/engine.hpp"

namespace reeve::keeper {

class Workers : public Waiting {
  public:
    using DoCall = std::function<void(const platform::notify::Call&)>;

    // `wake` is called, on any thread, when the first wait begins; `ended` when no call can be taken any more.
    Workers(const platform::notify::Listener& listener, std::function<void()> wake,
            std::function<void()> ended);
    ~Workers() override;  // ends the threads and waits for them

    // Starts `count` threads that do calls by `do_call`. Once, and before anything else.
    void start(unsigned count, DoCall do_call);

    bool begin(const platform::notify::Call& call) override;
    int interrupted() const override;
    void end() override;

    bool any_waits() const;
    void check_waits();

    // Whether calls are being taken: none waits to be received, or some were since `before`. Cheap; any thread.
    std::uint64_t taken() const { return taken_.load(std::memory_order_relaxed); }

  private:
    struct Worker {
        std::thread thread;
        std::atomic<std::uint64_t> waits_for{0};  // a call's id; 0: none
        std::atomic<pid_t> caller{0};             // its thread
        std::atomic<int> interrupted{0};          // by a signal to the caller: what that gets
        std::atomic<bool> finished{false};
    };
    static constexpr std::size_t kMost = 256;

    void run(Worker& self);
    // mutex_ is held for these.
    bool add_worker();
    void reap();
    void end_wait();

    const platform::notify::Listener& listener_;
    std::function<void()> wake_, ended_;
    DoCall do_call_;
    mutable std::mutex mutex_;
    std::vector<std::unique_ptr<Worker>> workers_;
    unsigned wanted_ = 0;   // threads that take calls
    unsigned waiting_ = 0;  // threads that wait
    unsigned running_ = 0;  // all that have not finished
    static thread_local Worker* this_worker_;
    std::atomic<bool> stop_{false};
    std::atomic<std::uint64_t> taken_{0};
};

}  // namespace reeve::keeper
