// How reeve-egress tells reeved: without ever waiting, several reports a packet.
//
// What cannot be recorded does not happen: when reeved takes nothing and the packets that may wait are full, there is no
// room, and whoever makes reports must begin nothing new until there is. What has begun is reported all the same.
#pragma once

#include <chrono>
#include <cstddef>
#include <deque>
#include <functional>
#include <string>
#include <vector>

#include "daemon/egress/report.hpp"
#include "platform/fd.hpp"
#include "platform/linux/event_loop.hpp"

namespace reeve::egress {

class Reporting {
  public:
    struct Options {
        std::chrono::milliseconds window{25};  // for how long a report waits for others
        std::size_t packets = 8;               // that may wait
    };
    // `control` as kControlFd. `room` is called with false when the last of it is taken, with true when there is some
    // again; `over` once, when reeved wants no more or is gone. Neither may destroy this.
    Reporting(platform::EventLoop& loop, platform::Fd control, Options options,
              std::function<void(bool)> room, std::function<void()> over);
    ~Reporting();
    Reporting(const Reporting&) = delete;
    Reporting& operator=(const Reporting&) = delete;

    platform::Status start();
    void add(const Report& report);
    bool has_room() const { return waiting_.size() < options_.packets; }
    // Sends all there is, then kNoMore; `sent` is called from the loop, also where reeved is gone.
    void finish(std::function<void()> sent);

  private:
    void close_packet();
    void flush();
    void send();
    void on_control(std::uint32_t events);
    void listen();
    void say_room();
    void gone();

    platform::EventLoop& loop_;
    platform::Fd control_;
    const Options options_;
    const std::function<void(bool)> room_;
    const std::function<void()> over_;
    std::function<void()> sent_;

    std::vector<Report> open_;  // those of the next packet
    std::size_t open_bytes_ = 0;
    std::deque<std::string> waiting_;
    platform::EventLoop::TimerId timer_ = 0;
    bool said_room_ = true, was_over_ = false, finishing_ = false, blocked_ = false;
};

}  // namespace reeve::egress
