// The threads whose calls the keeper works on, as /proc of the host shows them.
//
// A descriptor on /proc/TID is of that thread and of none that gets its number later, so that what is read through it
// is about the caller or fails. It does not cover: whether the caller still waits (platform/linux/notify: valid()).
#pragma once

#include <sys/types.h>

#include <atomic>
#include <cstdint>
#include <expected>
#include <list>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <unordered_map>

#include "platform/fd.hpp"

namespace reeve::keeper {

// What a system call gave, or its errno: answers to callers are errno values, so that the texts of platform::Error
// would be made and thrown away a hundred thousand times a second.
template <class T>
using Or = std::expected<T, int>;

// ERESTARTSYS, which the kernel turns into EINTR or into the same call again, as the signal's handler asks for. Only
// for a thread that has a signal pending: without one the number would reach the program.
inline constexpr int kRestart = 512;

class Caller {
  public:
    static Or<std::shared_ptr<const Caller>> open(pid_t tid);

    pid_t tid() const { return tid_; }
    int proc() const { return proc_.get(); }  // O_PATH on /proc/TID
    // Of its process (thread group), in the host's pid namespace.
    pid_t process() const { return process_; }
    std::uint64_t start_ns() const { return start_ns_; }
    pid_t parent() const { return parent_; }  // when it was first seen
    // In the session's pid namespace.
    pid_t inner_process() const { return inner_process_; }
    pid_t inner_thread() const { return inner_thread_; }

    // The number that it got for the last file that was opened for it; -1: none was.
    int last_descriptor() const { return last_descriptor_.load(std::memory_order_relaxed); }
    void got_descriptor(int number) const { last_descriptor_.store(number, std::memory_order_relaxed); }

    // The umask that was read in that era (umasks.hpp), if the last one was.
    std::optional<mode_t> remembered_umask(std::uint64_t era) const {
        const std::uint64_t known = umask_.load(std::memory_order_relaxed);
        if (known >> 9 != era) return std::nullopt;
        return static_cast<mode_t>(known & 0777);
    }
    void remember_umask(std::uint64_t era, mode_t mask) const {
        umask_.store(era << 9 | mask, std::memory_order_relaxed);
    }

    // What changes while it runs. Each fails with ENOENT or ESRCH if the thread is no more.
    Or<std::string> executable() const;
    Or<mode_t> umask() const;
    // Its controlling terminal, as a number in /dev/pts. ENXIO where it has none, or one of another kind.
    Or<unsigned> pseudo_terminal() const;

  private:
    bool read_status();

    pid_t tid_ = 0;
    platform::Fd proc_;
    pid_t process_ = 0, parent_ = 0, inner_process_ = 0, inner_thread_ = 0;
    std::uint64_t start_ns_ = 0;
    mutable std::atomic<int> last_descriptor_{-1};
    mutable std::atomic<std::uint64_t> umask_{0};
};

// What a waiting call of that thread is to end with because of a signal: 0 where there is none to handle, kRestart
// or EINTR where the signal is the whole process's and this thread may not be the one that handles it.
int interruption_of(pid_t tid);

// Those seen last. Any thread.
class Callers {
  public:
    // `fresh`: not one that was remembered, because that one turned out to be of a thread that is gone.
    // Sets `made` if it was opened now, by its number.
    Or<std::shared_ptr<const Caller>> find(pid_t tid, bool fresh, bool& made);

  private:
    static constexpr std::size_t kMost = 512;  // each holds a descriptor
    using Order = std::list<std::shared_ptr<const Caller>>;

    std::mutex mutex_;
    Order order_;  // the last used first
    std::unordered_map<pid_t, Order::iterator> by_tid_;
};

}  // namespace reeve::keeper
