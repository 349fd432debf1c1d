// reeve-egress: what it is started with, and which descriptor is what.
//
// One process of one session, outside of all its namespaces, under the user `reeve-egress`. What comes out of the
// session's network lands in the sockets that it is given here (platform/linux/network makes them); nothing else leads
// out. It does not cover: how it is started (platform/linux/confine/spawner.hpp), what it tells reeved (report.hpp).
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "platform/result.hpp"

namespace reeve::egress {

// 0 to 2 are /dev/null. A descriptor that there is none for is /dev/null too: see is_door().
inline constexpr int kSetupFd = 3;  // sealed memfd: Setup::encode()
// SOCK_SEQPACKET to reeved: reports go up. When nothing can be received from it any more, the session is over: what is
// left to report is sent, then kNoMore, and the process ends.
inline constexpr int kControlFd = 4;
inline constexpr int kProcessesFd = 5;  // SOCK_SEQPACKET from reeve-keeper: processes.hpp
// Made in the session's network namespace; listening, bound, non-blocking: platform::network::Doors, in its order.
inline constexpr int kDoorsFd = 6;

struct Setup {
    std::string session;
    // How many were started for the session before this one: 0, or 1 where the first ended. An address that the first
    // gave to a name is none of the second's.
    std::uint32_t generation = 0;
    std::string network;  // policy::NetworkPolicy::encode()
    // How many bytes may leave to one host, and in the whole session; 0: any number.
    std::uint64_t host_upload = 0, session_upload = 0;

    std::string encode() const;
    static platform::Result<Setup> decode(std::string_view bytes);
};

}  // namespace reeve::egress
