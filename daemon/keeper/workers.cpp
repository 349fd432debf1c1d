#include "daemon/keeper/workers.hpp"

#include <sched.h>
#include <signal.h>
#include <sys/prctl.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>

namespace reeve::keeper {
namespace {

// Interrupts a system call, and does nothing else.
constexpr int kInterrupt = SIGUSR1;

thread_local std::atomic<std::uint64_t>* this_worker = nullptr;

}  // namespace

Workers::Workers(const platform::notify::Listener& listener, std::function<void()> wake,
                 std::function<void()> ended)
    : listener_(listener), wake_(std::move(wake)), ended_(std::move(ended)) {
    struct sigaction nothing {};
    nothing.sa_handler = [](int) {};  // without SA_RESTART
    ::sigaction(kInterrupt, &nothing, nullptr);
}

Workers::~Workers() {
    stop_ = true;
    // A signal that comes before a thread waits is lost, so they are sent until all have seen that they are to end.
    const auto all_finished = [&] {
        const std::lock_guard lock(mutex_);
        for (auto& worker : workers_)
            if (!worker->finished) ::pthread_kill(worker->thread.native_handle(), kInterrupt);
        return std::ranges::all_of(workers_, [](const auto& worker) { return worker->finished.load(); });
    };
    while (!all_finished()) std::this_thread::sleep_for(std::chrono::milliseconds(1));
    for (auto& worker : workers_) worker->thread.join();
}

void Workers::start(unsigned count, DoCall do_call) {
    const std::lock_guard lock(mutex_);
    do_call_ = std::move(do_call);
    wanted_ = count;
    for (unsigned i = 0; i < count; ++i) add_worker();
}

void Workers::add_worker() {
    reap();
    auto& worker = *workers_.emplace_back(std::make_unique<Worker>());
    ++running_;
    worker.thread = std::thread([this, &worker] { run(worker); });
}

void Workers::reap() {
    for (auto& worker : workers_)
        if (worker->finished) worker->thread.join();
    std::erase_if(workers_, [](const auto& worker) { return worker->finished.load(); });
}

void Workers::run(Worker& self) {
    ::prctl(PR_SET_NAME, "keeper-worker");
    this_worker = &self.waits_for;
    // A umask and a working directory of its own, which are set to what a call needs.
    if (::unshare(CLONE_FS) != 0) return ended_();
    while (!stop_) {
        platform::notify::Call call;
        auto received = listener_.receive(call);
        if (!received) {
            ended_();
            break;
        }
        if (!*received) continue;
        taken_.fetch_add(1, std::memory_order_relaxed);
        do_call_(call);
        const std::lock_guard lock(mutex_);
        if (running_ - waiting_ > wanted_) break;  // the one whose place this took is back
    }
    const std::lock_guard lock(mutex_);
    --running_;
    self.finished = true;
}

void Workers::begin(std::uint64_t call) {
    this_worker->store(call);
    bool first = false;
    {
        const std::lock_guard lock(mutex_);
        first = waiting_++ == 0;
        if (running_ - waiting_ < wanted_ && running_ < kMost && !stop_) add_worker();
    }
    if (first) wake_();
}

void Workers::end() {
    this_worker->store(0);
    const std::lock_guard lock(mutex_);
    --waiting_;
}

bool Workers::any_waits() const {
    const std::lock_guard lock(mutex_);
    return waiting_ != 0;
}

void Workers::check_waits() {
    const std::lock_guard lock(mutex_);
    for (auto& worker : workers_) {
        const std::uint64_t call = worker->waits_for;
        if (call != 0 && !worker->finished && !listener_.valid(call))
            ::pthread_kill(worker->thread.native_handle(), kInterrupt);
    }
}

}  // namespace reeve::keeper
