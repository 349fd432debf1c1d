// DNS over TCP (RFC 7766): any number of queries a connection, each with its length in front.
//
// Bounds: so many connections, so many queries of one that wait, so long without a whole query. A client that sends a
// byte now and then gets no more time by that.
#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string_view>

#include "daemon/egress/lookups.hpp"
#include "platform/fd.hpp"
#include "platform/linux/event_loop.hpp"
#include "platform/result.hpp"

namespace reeve::egress {

class DnsTcp {
  public:
    // Both outlive it. `idle`: how long a connection has for its next whole query.
    DnsTcp(platform::EventLoop& loop, Lookups& lookups,
           std::chrono::milliseconds idle = std::chrono::seconds(10))
        : loop_(loop), lookups_(lookups), idle_(idle) {}
    DnsTcp(const DnsTcp&) = delete;
    DnsTcp& operator=(const DnsTcp&) = delete;
    ~DnsTcp();

    // Listening and non-blocking; the caller's.
    platform::Status open(int door);

  private:
    struct Connection;
    using Shared = std::shared_ptr<Connection>;
    platform::Status listen(int door);
    void accept_all(int door);
    void pause(int door);
    void adopt(platform::Fd socket);
    void handle(Shared connection, std::uint32_t events);
    bool take_queries(const Shared& connection);
    bool take_query(const Shared& connection, std::string_view query);
    void settle(const Shared& connection);
    void restart_timer(const Shared& connection);
    void drop(Shared connection);

    platform::EventLoop& loop_;
    Lookups& lookups_;
    std::chrono::milliseconds idle_;
    std::map<int, std::optional<platform::EventLoop::TimerId>> doors_;  // a paused one has a timer
    std::map<int, Shared> connections_;
};

}  // namespace reeve::egress
