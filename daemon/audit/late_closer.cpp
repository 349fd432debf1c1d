#include "daemon/audit/late_closer.hpp"

#include <pthread.h>

#include <utility>

namespace reeve::audit {

LateCloser::LateCloser() : thread_([this] { run(); }) {}

LateCloser::~LateCloser() {
    {
        const std::lock_guard lock(mutex_);
        stop_ = true;
    }
    wake_.notify_one();
    thread_.join();
}

void LateCloser::take(std::shared_ptr<void> thing) {
    {
        const std::lock_guard lock(mutex_);
        things_.push_back(std::move(thing));
    }
    wake_.notify_one();
}

void LateCloser::run() {
    ::pthread_setname_np(::pthread_self(), "reeve-closer");
    std::unique_lock lock(mutex_);
    while (true) {
        wake_.wait(lock, [this] { return stop_ || !things_.empty(); });
        auto things = std::exchange(things_, {});
        if (things.empty()) return;
        lock.unlock();
        things.clear();
        lock.lock();
    }
}

}  // namespace reeve::audit
