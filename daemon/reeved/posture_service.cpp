#include "daemon/reeved/posture_service.hpp"

#include <pthread.h>

#include <memory>
#include <utility>

namespace reeve::daemon {
namespace {

// nobody and nogroup of Debian: an account that owns nothing.
constexpr uid_t kNobody = 65534;

std::chrono::seconds monotonic_seconds() {
    return std::chrono::duration_cast<std::chrono::seconds>(
        std::chrono::steady_clock::now().time_since_epoch());
}

}  // namespace

PostureService::PostureService(platform::EventLoop& loop, platform::posture::RootedFileSystem files,
                               const std::string& helper, platform::posture::SelfTest self_test)
    : loop_(loop),
      files_(std::move(files)),
      exec_(helper, kNobody, kNobody),
      kernel_([]() -> platform::Result<platform::confine::Support> {
          return platform::confine::probe_support();
      }),
      collector_({.files = files_, .exec = exec_, .kernel = kernel_, .self_test = std::move(self_test)},
                 platform::posture::probes(), &monotonic_seconds),
      thread_([this] { work(); }) {}

PostureService::~PostureService() {
    {
        const std::lock_guard lock(mutex_);
        stop_ = true;
        jobs_.clear();
    }
    wake_.notify_one();
    thread_.join();
}

void PostureService::collect(const platform::posture::Subject& subject, std::chrono::seconds max_age,
                             Take take) {
    {
        const std::lock_guard lock(mutex_);
        jobs_.push_back({subject, max_age, std::move(take)});
    }
    wake_.notify_one();
}

void PostureService::work() {
    ::pthread_setname_np(::pthread_self(), "reeve-posture");
    std::unique_lock lock(mutex_);
    while (true) {
        wake_.wait(lock, [this] { return stop_ || !jobs_.empty(); });
        if (stop_) return;
        Job job = std::move(jobs_.front());
        jobs_.pop_front();
        lock.unlock();
        auto result = std::make_shared<posture::Posture>(collector_.collect(job.subject, job.max_age));
        loop_.post([take = std::move(job.take), result] { take(std::move(*result)); });
        lock.lock();
    }
}

}  // namespace reeve::daemon
