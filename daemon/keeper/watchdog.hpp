// The main thread: waits for reeved. It answers pings for as long as calls are taken, ends what waits for callers that
// are gone, and returns at the end of the session.
#pragma once

#include <memory>

#include "daemon/keeper/workers.hpp"
#include "platform/fd.hpp"
#include "platform/result.hpp"

namespace reeve::keeper {

class Watchdog {
  public:
    static platform::Result<std::unique_ptr<Watchdog>> create(int control,
                                                              const platform::notify::Listener& listener);

    void run(Workers& workers);  // until the other end of `control` closes, or stop()
    void wake();                 // any thread: the first wait has begun
    void stop();                 // any thread

  private:
    Watchdog(int control, const platform::notify::Listener& listener, platform::Fd event)
        : control_(control), listener_(listener), event_(std::move(event)) {}
    bool take_packet(const Workers& workers);
    bool calls_are_taken(const Workers& workers) const;

    int control_;
    const platform::notify::Listener& listener_;
    platform::Fd event_;
    std::atomic<bool> stop_{false};
};

}  // namespace reeve::keeper
