// Lets go of things whose end takes long, on a thread of its own: closing a fanotify group waits for a grace period of
// SRCU, some 17 ms, and neither a session's end nor the next one's start is to wait for that.
#pragma once

#include <condition_variable>
#include <memory>
#include <mutex>
#include <thread>
#include <vector>

namespace reeve::audit {

class LateCloser {
  public:
    LateCloser();
    ~LateCloser();  // waits until all is gone
    LateCloser(const LateCloser&) = delete;
    LateCloser& operator=(const LateCloser&) = delete;

    // Destroys it soon. Any thread; nobody may use it any more.
    void take(std::shared_ptr<void> thing);

  private:
    void run();

    std::mutex mutex_;
    std::condition_variable wake_;
    std::vector<std::shared_ptr<void>> things_;
    bool stop_ = false;
    std::thread thread_;
};

}  // namespace reeve::audit
