// Whose umask may be remembered. Reading one from /proc/TID/status is the dearest step of a create, and programs hardly
// ever change it.
//
// umask() is trapped, and goes on in the kernel. When it has happened shows by the thread's next call only; until then
// (a moment, since a thread that goes on calls) none is remembered, because threads may share one. Each such end makes
// a new era, and what was remembered in an older one is read again. All functions: any thread.
#pragma once

#include <sys/types.h>

#include <atomic>
#include <cstdint>
#include <mutex>
#include <vector>

#include "daemon/keeper/caller.hpp"

namespace reeve::keeper {

class Umasks {
  public:
    // `tid` is about to be let into umask().
    void begin(pid_t tid);
    // `tid` makes another call, so that it has left umask().
    void settle(pid_t tid) {
        if (changing_.load() != 0) settle_slowly(tid);
    }

    // Of `caller`, which is at a call now: remembered, or read. Fails as Caller::umask().
    Or<mode_t> of(const Caller& caller);

  private:
    void settle_slowly(pid_t tid);
    void settle_those_elsewhere();

    std::atomic<std::uint64_t> era_{1};
    std::atomic<unsigned> changing_{0};  // the size of tids_
    std::mutex mutex_;
    std::vector<pid_t> tids_;  // that are on their way into umask() or out of it
    std::uint64_t looked_ns_ = 0;
};

}  // namespace reeve::keeper
