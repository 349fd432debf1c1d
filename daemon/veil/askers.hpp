// Which process a thread belongs to, with what a record says of it: read from /proc, and kept for a moment.
//
// Best effort for all but the thread group: a process that has ended meanwhile has none of it. It does not cover what
// becomes of the process later (daemon/audit).
#pragma once

#include <sys/types.h>

#include <chrono>
#include <cstdint>
#include <memory>
#include <mutex>
#include <string>
#include <unordered_map>

#include "platform/fd.hpp"
#include "platform/result.hpp"

namespace reeve::veil {

struct Asker {
    pid_t process = 0;           // thread group; 0: it has ended
    pid_t parent = 0;            // 0: not known
    std::uint64_t start_ns = 0;  // since boot; 0: not known
    std::string exe;             // of this moment; empty: not known
};

// Any thread.
class Askers {
  public:
    static platform::Result<Askers> create();
    Asker of(pid_t thread);

    // How long a thread's process is believed without a look: far shorter than it takes to give out every pid once.
    static constexpr std::chrono::milliseconds kBelieved{100};
    static constexpr std::size_t kMostKnown = 4096;

    // What of the texts of /proc/PID/status and stat is of use; zeros where they are not what they should be.
    static pid_t process_in(std::string_view status);
    static void read_stat(std::string_view stat, std::uint64_t ticks_per_second, Asker& asker);

  private:
    using Clock = std::chrono::steady_clock;
    struct Known {
        Asker asker;  // without exe
        Clock::time_point since;
    };
    struct Cache {
        std::mutex mutex;
        std::unordered_map<pid_t, Known> known;
    };
    Askers() = default;
    Asker look(pid_t thread) const;

    platform::Fd proc_;
    std::uint64_t ticks_per_second_ = 100;
    std::unique_ptr<Cache> cache_ = std::make_unique<Cache>();
};

}  // namespace reeve::veil
