// Who is at the other end of a connection, as the kernel says it. What a client says of itself counts for nothing.
#pragma once

#include <sys/types.h>

#include <string>

#include "platform/fd.hpp"
#include "platform/result.hpp"

namespace reeve::daemon {

struct Peer {
    uid_t uid = 0;
    gid_t gid = 0;
    pid_t pid = 0;
    std::string cgroup;  // "/user.slice/..."; of version 2

    bool is_root() const { return uid == 0; }
};

// Of a connected unix socket: SO_PEERCRED and, where there is one (Linux 6.5), SO_PEERPIDFD, so that the cgroup is that
// of the process that connected and not of a later one with its number. An Error if that process is gone already.
// Refused: processes of a session, and of its helpers: they are never taken for the person.
platform::Result<Peer> peer_of(int socket);

}  // namespace reeve::daemon
