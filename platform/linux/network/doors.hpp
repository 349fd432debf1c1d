// A session's network: a namespace in which every address is its own, and whose every way out ends in sockets made
// here, the doors.
//
// lo is up and holds one address of kFour and one of kSix; `local default dev lo` makes every address local, for both
// families; nftables sends TCP to the TCP door and port 53 of both protocols to the DNS doors, whatever address was
// asked for (SO_ORIGINAL_DST says which), and drops all that is neither that nor for 127.0.0.0/8 or ::1 (an error at
// once: EPERM). Client-side TCP fast open, which connects without connect(), is off.
// It does not cover: who sits behind the doors (daemon/egress).
#pragma once

#include <array>
#include <cstdint>

#include "platform/fd.hpp"
#include "platform/result.hpp"

namespace reeve::platform::network {

// Where synthetic addresses come from: 198.18.0.0/15 (RFC 2544), and a unique-local /64 (RFC 4193).
inline constexpr std::uint32_t kFour = 0xC6120000;  // host order
inline constexpr unsigned kFourPrefix = 15;
inline constexpr std::array<std::uint8_t, 8> kSix{0xfd, 0x72, 0x65, 0x65, 0x76, 0x65, 0, 0};

enum class Door : std::uint8_t { tcp4, tcp6, dns_udp4, dns_udp6, dns_tcp4, dns_tcp6, diag };
inline constexpr std::size_t kDoors = static_cast<std::size_t>(Door::diag) + 1;

// All non-blocking and close-on-exec. tcp*: listening on 127.0.0.1 and ::1 at ports of the kernel's choice; diag: a
// NETLINK_SOCK_DIAG socket, which sees this namespace's sockets. Those of IPv6 are empty where the kernel has none.
struct Doors {
    std::array<Fd, kDoors> fds;
    const Fd& operator[](Door door) const { return fds[static_cast<std::size_t>(door)]; }
};

// Sets up the calling thread's network namespace, which is new: it has nothing but lo, which is down. Needs
// CAP_NET_ADMIN there. Linux 5.2 (nat in inet tables).
Result<Doors> build_doors();

}  // namespace reeve::platform::network
