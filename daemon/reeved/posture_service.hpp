// Gathering posture away from the loop: probes run programs and may take seconds.
#pragma once

#include <condition_variable>
#include <deque>
#include <functional>
#include <mutex>
#include <string>
#include <thread>

#include "daemon/posture/collector.hpp"
#include "platform/linux/event_loop.hpp"

namespace reeve::daemon {

class PostureService {
  public:
    using Take = std::function<void(posture::Posture)>;

    // `helper` is the path of reeve-probe. `self_test` may be empty. The loop outlives it.
    PostureService(platform::EventLoop& loop, platform::posture::RootedFileSystem files,
                   const std::string& helper, platform::posture::SelfTest self_test);
    ~PostureService();  // waits for what runs, at most the limits of its programs
    PostureService(const PostureService&) = delete;
    PostureService& operator=(const PostureService&) = delete;

    // `take` is called in the loop's thread. Loop's thread only.
    void collect(const platform::posture::Subject& subject, std::chrono::seconds max_age, Take take);

    const platform::posture::FileSystem& files() const { return files_; }

  private:
    struct Job {
        platform::posture::Subject subject;
        std::chrono::seconds max_age;
        Take take;
    };
    void work();

    platform::EventLoop& loop_;
    platform::posture::RootedFileSystem files_;
    platform::posture::ConfinedExec exec_;
    platform::posture::LinuxKernel kernel_;
    posture::Collector collector_;
    std::mutex mutex_;
    std::condition_variable wake_;
    std::deque<Job> jobs_;
    bool stop_ = false;
    std::thread thread_;
};

}  // namespace reeve::daemon
