#include "daemon/keeper/workers.hpp"

#include <errno.h>
#include <sched.h>
#include <signal.h>
#include <sys/prctl.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <system_error>

namespace reeve::keeper {
namespace {

// Interrupts a system call, and does nothing else.
constexpr int kInterrupt = SIGUSR1;

}  // namespace

thread_local Workers::Worker* Workers::this_worker_ = nullptr;

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
    for (unsigned i = 0; i < count; ++i)
        if (!add_worker() && i == 0) ended_();
}

// False where the person may have no more threads (RLIMIT_NPROC), or there is no memory.
bool Workers::add_worker() {
    reap();
    auto& worker = *workers_.emplace_back(std::make_unique<Worker>());
    try {
        worker.thread = std::thread([this, &worker] { run(worker); });
    } catch (const std::system_error&) {
        workers_.pop_back();
        return false;
    }
    ++running_;
    return true;
}

void Workers::reap() {
    for (auto& worker : workers_)
        if (worker->finished) worker->thread.join();
    std::erase_if(workers_, [](const auto& worker) { return worker->finished.load(); });
}

void Workers::run(Worker& self) {
    ::prctl(PR_SET_NAME, "keeper-worker");
    this_worker_ = &self;
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

// Where all threads wait or the last one would, the call fails instead: those that do not wait must go on.
bool Workers::begin(const platform::notify::Call& call) {
    bool first = false;
    {
        const std::lock_guard lock(mutex_);
        if (running_ >= kMost && running_ - waiting_ <= 1) return false;
        this_worker_->interrupted = 0;
        this_worker_->caller = call.tid;
        this_worker_->waits_for = call.id;
        first = waiting_++ == 0;
        const bool enough = running_ - waiting_ >= wanted_ || running_ >= kMost || stop_;
        if (!enough && !add_worker() &&
            running_ == waiting_) {  // no thread is to be had, and this was the last one
            end_wait();
            return false;
        }
    }
    if (first) wake_();
    return true;
}

int Workers::interrupted() const {
    return stop_ ? EINTR : this_worker_->interrupted.load();
}

void Workers::end() {
    const std::lock_guard lock(mutex_);
    end_wait();
}

void Workers::end_wait() {
    this_worker_->waits_for = 0;
    --waiting_;
}

bool Workers::any_waits() const {
    const std::lock_guard lock(mutex_);
    return waiting_ != 0;
}

// Under the mutex, so that a worker is interrupted for the call that was looked at and for no later one.
void Workers::check_waits() {
    const std::lock_guard lock(mutex_);
    for (auto& worker : workers_) {
        const std::uint64_t call = worker->waits_for;
        if (call == 0 || worker->finished) continue;
        const int signalled = interruption_of(worker->caller);
        const bool gone = !listener_.valid(call);
        if (!gone && signalled != 0) worker->interrupted = signalled;
        if (gone || signalled != 0) ::pthread_kill(worker->thread.native_handle(), kInterrupt);
    }
}

}  // namespace reeve::keeper
