// A connection that was let through: both directions, until both have ended or something breaks.
//
// An end is passed on as an end, a failure of one side as a reset of the other. What a side sent before its reset is
// delivered as far as the other side takes it at once.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include "daemon/egress/flow.hpp"
#include "platform/fd.hpp"
#include "platform/linux/event_loop.hpp"

namespace reeve::egress {

// Closes it so that its peer sees a reset.
void reset(platform::Fd& socket);

class Relay {
  public:
    struct End {
        std::string how;     // "closed", "reset", "timeout", "budget", "mismatch"
        std::string reason;  // where it is not "closed"
    };
    // Of the client's bytes those of `first` have been read, and may go out as far as `released`; with `requests`, which
    // was fed them, the rest is looked at too.
    struct Start {
        platform::Fd client, upstream;
        std::string first;
        std::uint64_t released = 0;
        std::unique_ptr<Requests> requests;
    };
    // `ended` is called once, from the loop, when the sockets are closed; it may destroy the relay.
    Relay(platform::EventLoop& loop, Pipes& pipes, Upload& upload, Start start,
          std::function<void(const End&)> ended);
    ~Relay();
    Relay(const Relay&) = delete;
    Relay& operator=(const Relay&) = delete;

    platform::Status start();
    std::uint64_t up() const { return up_->bytes(); }
    std::uint64_t down() const { return down_->bytes(); }

  private:
    void on_event(bool of_client, std::uint32_t events);
    void pump();
    bool run(Flow& flow, bool& ended);  // whether the relay goes on
    void pump_later();
    void finish(const End& end);

    platform::EventLoop& loop_;
    platform::Fd client_, upstream_;
    std::unique_ptr<Flow> up_, down_;
    bool up_ended_ = false, down_ended_ = false;
    bool more_ = false, posted_ = false, over_ = false;
    std::function<void(const End&)> ended_;
    std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);
};

}  // namespace reeve::egress
