// The nftables rules of a session's network (doors.hpp).
#pragma once

#include <cstdint>

#include "platform/result.hpp"

namespace reeve::platform::network {

// The doors' ports of one family; 0: there is none.
struct Ports {
    std::uint16_t tcp = 0, dns_udp = 0, dns_tcp = 0;
};

// Loads the rules into the calling thread's network namespace, all or none of them. A family whose ports are 0 is
// dropped but for what is established or for its loopback addresses.
Status load_rules(const Ports& four, const Ports& six);

}  // namespace reeve::platform::network
