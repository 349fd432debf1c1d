#include "platform/linux/seqpacket.hpp"

#include <sys/socket.h>

#include <algorithm>
#include <cstring>

namespace reeve::platform {

Result<SocketPair> seqpacket_pair() {
    int ends[2];
    if (::socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) != 0)
        return os_error("make a socket pair", "");
    return SocketPair{Fd(ends[0]), Fd(ends[1])};
}

Status send_packet(int socket, std::string_view bytes, std::span<const int> fds) {
    if (bytes.empty() || bytes.size() > kMaxPacket || fds.size() > kMaxPacketFds)
        return error("send a packet", "", "it is empty or too long");
    iovec part{const_cast<char*>(bytes.data()), bytes.size()};
    alignas(cmsghdr) char control[CMSG_SPACE(kMaxPacketFds * sizeof(int))];
    msghdr message{};
    message.msg_iov = &part;
    message.msg_iovlen = 1;
    if (!fds.empty()) {
        std::memset(control, 0, sizeof control);
        message.msg_control = control;
        message.msg_controllen = CMSG_SPACE(fds.size_bytes());
        cmsghdr* header = CMSG_FIRSTHDR(&message);
        header->cmsg_level = SOL_SOCKET;
        header->cmsg_type = SCM_RIGHTS;
        header->cmsg_len = CMSG_LEN(fds.size_bytes());
        std::memcpy(CMSG_DATA(header), fds.data(), fds.size_bytes());
    }
    while (::sendmsg(socket, &message, MSG_NOSIGNAL) < 0)
        if (errno != EINTR) return os_error("send a packet", "");
    return {};
}

Result<Packet> receive_packet(int socket, int flags) {
    // Its length first: most have a hundred bytes, and a buffer for the longest costs more than a call.
    ssize_t length;
    while ((length = ::recv(socket, nullptr, 0, flags | MSG_PEEK | MSG_TRUNC)) < 0)
        if (errno != EINTR) return os_error("receive a packet", "");
    Packet packet;
    packet.bytes.resize(std::min(static_cast<std::size_t>(length), kMaxPacket));
    iovec part{packet.bytes.data(), packet.bytes.size()};
    alignas(cmsghdr) char control[CMSG_SPACE(kMaxPacketFds * sizeof(int))];
    msghdr message{};
    message.msg_iov = &part;
    message.msg_iovlen = 1;
    message.msg_control = control;
    message.msg_controllen = sizeof control;
    ssize_t got;
    while ((got = ::recvmsg(socket, &message, flags | MSG_CMSG_CLOEXEC)) < 0)
        if (errno != EINTR) return os_error("receive a packet", "");
    for (cmsghdr* header = CMSG_FIRSTHDR(&message); header != nullptr;
         header = CMSG_NXTHDR(&message, header)) {
        if (header->cmsg_level != SOL_SOCKET || header->cmsg_type != SCM_RIGHTS) continue;
        const std::size_t count = (header->cmsg_len - CMSG_LEN(0)) / sizeof(int);
        for (std::size_t i = 0; i < count; ++i) {
            int fd;
            std::memcpy(&fd, CMSG_DATA(header) + i * sizeof fd, sizeof fd);
            packet.fds.emplace_back(fd);
        }
    }
    if ((message.msg_flags & (MSG_TRUNC | MSG_CTRUNC)) != 0)
        return error("receive a packet", "", "it is longer than 64 KiB or has too many descriptors");
    packet.bytes.resize(static_cast<std::size_t>(got));
    packet.end = got == 0;
    return packet;
}

}  // namespace reeve::platform
