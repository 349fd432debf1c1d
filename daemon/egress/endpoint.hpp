// An address and a port, as sockets have them, and what a redirected connection asked for.
#pragma once

#include <sys/socket.h>

#include <cstdint>

#include "platform/result.hpp"
#include "policy/network.hpp"

namespace reeve::egress {

struct Endpoint {
    policy::Address address;
    std::uint16_t port = 0;
    bool operator==(const Endpoint&) const = default;
};

// An IPv4 address inside an IPv6 socket's is that IPv4 address. Port 0 and no address for other families.
Endpoint endpoint_of(const sockaddr_storage& socket);
// AF_INET for what is IPv4. Gives the length.
socklen_t fill(const Endpoint& endpoint, sockaddr_storage& socket);

// What an accepted connection asked for before nftables sent it here. An Error where the kernel knows of no redirection,
// or where it leads to the door itself: somebody inside connected to the door.
platform::Result<sockaddr_storage> original_destination(int connection);

}  // namespace reeve::egress
