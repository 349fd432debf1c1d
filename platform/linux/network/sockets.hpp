// Which socket of a session's network namespace a connection comes from.
#pragma once

#include <sys/socket.h>

#include <cstdint>

#include "platform/result.hpp"

namespace reeve::platform::network {

// The inode (in sockfs) of the TCP socket inside that is bound to `client` and connected to `destination`, both as that
// socket sees them: what accept() gives for the peer, and SO_ORIGINAL_DST for what it asked for. `diag` is Door::diag.
// An Error with ENOENT: there is none, or its process has closed it. Waits for nothing but the kernel's answer. One
// thread at a time.
Result<std::uint64_t> socket_inode(int diag, const sockaddr_storage& client,
                                   const sockaddr_storage& destination);

}  // namespace reeve::platform::network
