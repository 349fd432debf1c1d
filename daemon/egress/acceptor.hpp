// The TCP doors: takes what connects, as many as there may be, while there is room for their reports.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <list>
#include <memory>

#include "daemon/egress/connection.hpp"
#include "daemon/egress/endpoint.hpp"

namespace reeve::egress {

class Acceptor {
  public:
    using Destination = std::function<platform::Result<sockaddr_storage>(int connection)>;
    struct Options {
        std::size_t most =
            4096;  // connections at once; above, the oldest goes that has not said anything yet
        Destination destination = original_destination;  // tests have no nftables
    };
    // `doors` listen and are non-blocking; an empty one is no door.
    Acceptor(Shared& shared, std::array<platform::Fd, 2> doors, Options options);
    ~Acceptor();
    Acceptor(const Acceptor&) = delete;
    Acceptor& operator=(const Acceptor&) = delete;

    // Takes connections; those that come while it is off wait in the doors' backlog.
    platform::Status on();
    void off();
    // Takes no more, and resets all there are.
    void end();
    std::size_t size() const { return live_; }
    std::uint64_t taken() const { return taken_; }  // all there ever were

  private:
    using Connections = std::list<std::unique_ptr<Connection>>;
    void accept_some(int door);
    void take(platform::Fd client, const sockaddr_storage& peer);
    bool make_room();
    void refuse(platform::Fd client, const Endpoint& asked, std::string reason);
    void out_of_descriptors();

    Shared& shared_;
    const std::array<platform::Fd, 2> doors_;
    const Options options_;
    Connections connections_;
    std::size_t live_ = 0;
    std::uint64_t taken_ = 0;
    bool on_ = false, ended_ = false;
    platform::EventLoop::TimerId again_ = 0;
};

}  // namespace reeve::egress
