#include "daemon/reeved/peer.hpp"

#include <signal.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "platform/linux/cgroup.hpp"

#ifndef SO_PEERPIDFD
#define SO_PEERPIDFD 77  // Linux 6.5
#endif

namespace reeve::daemon {

using platform::error;
using platform::Fd;
using platform::os_error;

namespace {

platform::Result<Fd> pidfd_of(int socket, pid_t pid) {
    int fd = -1;
    socklen_t size = sizeof fd;
    if (::getsockopt(socket, SOL_SOCKET, SO_PEERPIDFD, &fd, &size) == 0) return Fd(fd);
    if (errno != ENOPROTOOPT && errno != EINVAL) return os_error("ask who connected", "");
    // Before 6.5 the number is all there is; a process that has gone since is found out by the cgroup's look at it.
    Fd opened(static_cast<int>(::syscall(SYS_pidfd_open, pid, 0)));
    if (!opened) return os_error("ask who connected", std::to_string(pid));
    return opened;
}

bool lives(const Fd& pidfd) {
    return ::syscall(SYS_pidfd_send_signal, pidfd.get(), 0, nullptr, 0) == 0 || errno == EPERM;
}

}  // namespace

platform::Result<Peer> peer_of(int socket) {
    ucred credentials{};
    socklen_t size = sizeof credentials;
    if (::getsockopt(socket, SOL_SOCKET, SO_PEERCRED, &credentials, &size) != 0)
        return os_error("ask who connected", "");
    Peer peer{.uid = credentials.uid, .gid = credentials.gid, .pid = credentials.pid, .cgroup = {}};
    // 0: a process of a pid namespace that is not below ours, so nobody that can be looked at.
    if (peer.pid <= 0)
        return error("serve a caller", "", "it is in a pid namespace that the daemon cannot see into");
    auto pidfd = pidfd_of(socket, peer.pid);
    if (!pidfd) return std::unexpected(pidfd.error());
    auto cgroup = platform::cgroup_of(peer.pid);
    if (!cgroup) return std::unexpected(cgroup.error());
    if (!lives(*pidfd)) return error("serve a caller", std::to_string(peer.pid), "it is gone");
    peer.cgroup = std::move(*cgroup);
    if ((peer.cgroup + "/").find("/reeve/") != std::string::npos)
        return error("serve a caller", std::to_string(peer.pid), "it runs inside a session",
                     "ask the person to do this outside of it");
    return peer;
}

}  // namespace reeve::daemon
