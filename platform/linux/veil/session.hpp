// The veil's side of /dev/fuse: threads that take the kernel's requests and answer them (libfuse 3, low level).
//
// Threads are named, and all there are from start() on, so that a system call filter can be put over them before the
// first request is read. A request whose caller is killed is answered by whoever has it, since none waits for long; one
// that has to wait for a person needs a worker of its own, which FUSE_INTERRUPT then ends (operations.cpp).
#pragma once

#include <atomic>
#include <condition_variable>
#include <latch>
#include <memory>
#include <mutex>
#include <thread>
#include <vector>

#include "platform/linux/veil/veil.hpp"

struct fuse_session;

namespace reeve::platform::veil {

class Session {
  public:
    // As many nodes as the kernel may know; those that it has not used for longest are taken from it.
    static constexpr std::size_t kMostNodes = 64 * 1024;

    // `fuse` is /dev/fuse with a mount. `veil` outlives the session.
    static Result<std::unique_ptr<Session>> create(Fd fuse, Veil& veil, std::size_t most_nodes = kMostNodes);
    Session(const Session&) = delete;
    Session& operator=(const Session&) = delete;
    ~Session();  // as stop()

    Status start(unsigned workers);  // threads that wait
    void serve();                    // once
    // Readable when the file system is gone: unmounted everywhere, or aborted.
    int ended() const { return ended_.get(); }
    // Ends and joins all threads; what was not answered gets ENOTCONN when the process ends.
    void stop();

  private:
    struct Destroy {
        void operator()(fuse_session* session) const;
    };
    explicit Session(Veil& veil, std::size_t most_nodes)
        : veil_(veil), most_nodes_(most_nodes), next_trim_(most_nodes) {}
    void work();
    void trim();
    void look_at_size();

    Veil& veil_;
    const std::size_t most_nodes_;
    std::unique_ptr<fuse_session, Destroy> session_;
    Fd ended_;
    std::latch gate_{1};
    bool open_ = false;  // the gate
    std::atomic<bool> stopping_ = false;
    std::mutex mutex_;
    std::condition_variable changed_;
    unsigned running_ = 0;                // workers; guarded by mutex_
    bool trim_wanted_ = false;            // likewise
    std::atomic<std::size_t> next_trim_;  // the number of nodes from which on there is something to do
    std::vector<std::thread> workers_;
    std::thread trimmer_;
};

}  // namespace reeve::platform::veil
