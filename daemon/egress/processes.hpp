// Whose a connection is: reeve-keeper sees each connect() of the session, tells reeve-egress which process makes it on
// which socket, and lets the call go on; reeve-egress asks the kernel for the socket behind the port that a connection
// comes from. Nothing is decided there.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <string>
#include <string_view>

#include "platform/result.hpp"

namespace reeve::egress {

// One packet from reeve-keeper: that process is about to connect a socket. Sent before the call goes on, never waits:
// where reeve-egress takes nothing, that process is not known.
struct Connecting {
    std::uint64_t inode = 0;  // of the socket, in sockfs
    pid_t pid = 0;            // thread group, in the host's pid namespace
    std::uint64_t start_ns = 0;
    std::string exe;

    std::string encode() const;
    static platform::Result<Connecting> decode(std::string_view bytes);
};

}  // namespace reeve::egress
