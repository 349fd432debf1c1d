// One packet of a SOCK_SEQPACKET unix socket at a time, with the descriptors that travel with it.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "platform/fd.hpp"
#include "platform/result.hpp"

namespace reeve::platform {

inline constexpr std::size_t kMaxPacket = 64 * 1024;  // bytes; longer ones are refused on both sides
inline constexpr std::size_t kMaxPacketFds = 64;      // below the kernel's SCM_MAX_FD of 253

struct Packet {
    std::string bytes;
    std::vector<Fd> fds;  // close-on-exec
    bool end = false;     // the peer is gone; an empty packet is not told apart and means the same
};

struct SocketPair {
    Fd ours, theirs;  // both close-on-exec
};
Result<SocketPair> seqpacket_pair();

// EPIPE comes as an Error, never as a signal. `fds` stay the caller's.
Status send_packet(int socket, std::string_view bytes, std::span<const int> fds = {});

// Waits unless `flags` has MSG_DONTWAIT (then an Error with EAGAIN). A packet that is too long, or has too
// many descriptors, is an Error and its descriptors are closed.
Result<Packet> receive_packet(int socket, int flags = 0);

}  // namespace reeve::platform
