#include "platform/linux/network/doors.hpp"

#include <fcntl.h>
#include <linux/netlink.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <cstddef>

#include "platform/linux/network/routes.hpp"
#include "platform/linux/network/rules.hpp"

namespace reeve::platform::network {
namespace {

// Programs of the session cannot take its port: neither of SO_REUSEADDR and SO_REUSEPORT is set.
Result<Fd> open_door(int family, int type) {
    const char* const what = family == AF_INET ? "127.0.0.1" : "::1";
    Fd socket(::socket(family, type | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
    if (!socket) return os_error("make a socket", what);
    sockaddr_in four{};
    four.sin_family = AF_INET;
    four.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    sockaddr_in6 six{};
    six.sin6_family = AF_INET6;
    six.sin6_addr = in6addr_loopback;
    const int bound = family == AF_INET
                          ? ::bind(socket.get(), reinterpret_cast<const sockaddr*>(&four), sizeof four)
                          : ::bind(socket.get(), reinterpret_cast<const sockaddr*>(&six), sizeof six);
    if (bound != 0) return os_error("bind a socket", what);
    if (type == SOCK_STREAM && ::listen(socket.get(), SOMAXCONN) != 0) return os_error("listen", what);
    return socket;
}

// Both families have their port at the same place.
std::uint16_t port_of(const Fd& socket) {
    sockaddr_in6 address{};
    socklen_t size = sizeof address;
    if (::getsockname(socket.get(), reinterpret_cast<sockaddr*>(&address), &size) != 0) return 0;
    static_assert(offsetof(sockaddr_in, sin_port) == offsetof(sockaddr_in6, sin6_port));
    return ntohs(address.sin6_port);
}

Result<Ports> open_family(Doors& doors, int family) {
    const bool four = family == AF_INET;
    const auto open = [&](Door door, int type, std::uint16_t& port) -> Status {
        auto socket = open_door(family, type);
        if (!socket) return std::unexpected(socket.error());
        port = port_of(*socket);
        doors.fds[static_cast<std::size_t>(door)] = std::move(*socket);
        return {};
    };
    Ports ports;
    if (auto s = make_all_local(family); !s) return std::unexpected(s.error());
    if (auto s = open(four ? Door::tcp4 : Door::tcp6, SOCK_STREAM, ports.tcp); !s)
        return std::unexpected(s.error());
    if (auto s = open(four ? Door::dns_udp4 : Door::dns_udp6, SOCK_DGRAM, ports.dns_udp); !s)
        return std::unexpected(s.error());
    if (auto s = open(four ? Door::dns_tcp4 : Door::dns_tcp6, SOCK_STREAM, ports.dns_tcp); !s)
        return std::unexpected(s.error());
    return ports;
}

// The kernel was built or started without the family, or it is switched off for lo.
bool is_missing(const Error& error) {
    return error.code == EAFNOSUPPORT || error.code == EOPNOTSUPP || error.code == EACCES ||
           error.code == EADDRNOTAVAIL;
}

// Of the writer's own namespace.
Status switch_fast_open_off() {
    constexpr const char* kFile = "/proc/sys/net/ipv4/tcp_fastopen";
    const Fd file(::open(kFile, O_WRONLY | O_CLOEXEC));
    if (!file || ::write(file.get(), "0", 1) != 1)
        return os_error("switch TCP fast open off", kFile, errno,
                        "see that /proc/sys is writable for reeved");
    return {};
}

}  // namespace

Result<Doors> build_doors() {
    Doors doors;
    if (auto s = bring_up_loopback(); !s) return std::unexpected(s.error());
    if (auto s = switch_fast_open_off(); !s) return std::unexpected(s.error());
    auto four = open_family(doors, AF_INET);
    if (!four) return std::unexpected(four.error());
    auto six = open_family(doors, AF_INET6);
    if (!six && !is_missing(six.error())) return std::unexpected(six.error());
    if (!six) {
        for (const Door door : {Door::tcp6, Door::dns_udp6, Door::dns_tcp6})
            doors.fds[static_cast<std::size_t>(door)].reset();
        six = Ports{};
    }
    if (auto s = load_rules(*four, *six); !s) return std::unexpected(s.error());
    Fd diag(::socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, NETLINK_SOCK_DIAG));
    if (!diag)
        return os_error("make a socket to look up sockets", "", errno, "see that the kernel has sock_diag");
    doors.fds[static_cast<std::size_t>(Door::diag)] = std::move(diag);
    return doors;
}

}  // namespace reeve::platform::network
