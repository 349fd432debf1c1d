#include "platform/linux/veil/session.hpp"

#include <pthread.h>
#include <signal.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <chrono>
#include <cstdlib>

#include "platform/linux/veil/operations.hpp"

namespace reeve::platform::veil {
namespace {

// Wakes a thread from its read of /dev/fuse; it does nothing else.
constexpr int kWake = SIGUSR1;
constexpr std::size_t kTrimAtOnce = 4096;

void name_thread(std::thread& thread, const std::string& name) {
    ::pthread_setname_np(thread.native_handle(), name.c_str());
}

}  // namespace

void Session::Destroy::operator()(fuse_session* session) const {
    ::fuse_session_destroy(session);
}

Result<std::unique_ptr<Session>> Session::create(Fd fuse, Veil& veil, std::size_t most_nodes) {
    std::unique_ptr<Session> made(new Session(veil, most_nodes));
    char name[] = "reeve-veil";
    char* arguments[] = {name, nullptr};
    fuse_args args = FUSE_ARGS_INIT(1, arguments);
    const fuse_lowlevel_ops ops = operations();
    made->session_.reset(::fuse_session_new(&args, &ops, sizeof ops, &veil));
    ::fuse_opt_free_args(&args);
    if (!made->session_) return error("start the veil", "", "libfuse does not take it");
    // libfuse knows a descriptor that is mounted already by this name (since 3.3), and owns it from here on.
    const std::string place = "/dev/fd/" + std::to_string(fuse.get());
    if (::fuse_session_mount(made->session_.get(), place.c_str()) != 0)
        return error("start the veil", place, "libfuse does not take the descriptor");
    (void)fuse.release();
    made->ended_.reset(::eventfd(0, EFD_CLOEXEC));
    if (!made->ended_) return os_error("make an eventfd", "");
    struct sigaction nothing {};
    nothing.sa_handler = [](int) {};
    if (::sigaction(kWake, &nothing, nullptr) != 0) return os_error("set a signal handler", "");
    return made;
}

Session::~Session() {
    stop();
}

Status Session::start(unsigned workers) {
    running_ = workers;
    for (unsigned i = 0; i < workers; ++i) {
        workers_.emplace_back([this] { work(); });
        name_thread(workers_.back(), "veil-" + std::to_string(i));
    }
    trimmer_ = std::thread([this] { trim(); });
    name_thread(trimmer_, "veil-trim");
    return {};
}

void Session::serve() {
    open_ = true;
    gate_.count_down();
}

void Session::stop() {
    {
        const std::scoped_lock lock(mutex_);
        stopping_ = true;
    }
    changed_.notify_all();
    if (!open_) serve();
    ::fuse_session_exit(session_.get());
    std::unique_lock lock(mutex_);
    // A signal that comes before the read does not end it: again, until all have gone.
    while (running_ != 0) {
        for (auto& worker : workers_) ::pthread_kill(worker.native_handle(), kWake);
        changed_.wait_for(lock, std::chrono::milliseconds(5));
    }
    lock.unlock();
    for (auto& worker : workers_)
        if (worker.joinable()) worker.join();
    if (trimmer_.joinable()) trimmer_.join();
}

void Session::work() {
    gate_.wait();
    fuse_buf buffer{};
    while (!stopping_) {
        const int size = ::fuse_session_receive_buf(session_.get(), &buffer);
        if (size == -EINTR || size == -EAGAIN || size == -ENOENT) continue;
        if (size <= 0) break;  // 0, or ENODEV: the file system is gone
        ::fuse_session_process_buf(session_.get(), &buffer);
        look_at_size();
    }
    std::free(buffer.mem);
    if (!stopping_) {
        const std::uint64_t one = 1;
        (void)!::write(ended_.get(), &one, sizeof one);
    }
    const std::scoped_lock lock(mutex_);
    --running_;
    changed_.notify_all();
}

// --- the kernel keeps names of nodes as long as it has memory, and each is memory here too

void Session::look_at_size() {
    if (veil_.nodes().size() <= next_trim_) return;
    const std::scoped_lock lock(mutex_);
    trim_wanted_ = true;
    changed_.notify_all();
}

// On a thread of its own: taking a name from the kernel waits for whoever holds its directory, who may wait for a worker.
void Session::trim() {
    std::unique_lock lock(mutex_);
    while (true) {
        changed_.wait(lock, [this] { return stopping_ || trim_wanted_; });
        if (stopping_) return;
        trim_wanted_ = false;
        lock.unlock();
        for (const auto& name : veil_.nodes().idle(most_nodes_ - most_nodes_ / 4, kTrimAtOnce)) {
            if (stopping_) break;
            ::fuse_lowlevel_notify_inval_entry(session_.get(), name.parent, name.name.c_str(),
                                               name.name.size());
        }
        // What is in use stays: no new try before there are more.
        next_trim_ = std::max(most_nodes_, veil_.nodes().size() + kTrimAtOnce / 4);
        lock.lock();
    }
}

}  // namespace reeve::platform::veil
