#include "daemon/egress/endpoint.hpp"

#include <netinet/in.h>

#include <cstring>

#include "daemon/egress/address_text.hpp"

namespace reeve::egress {
namespace {

// linux/netfilter_ipv4.h and netfilter_ipv6/ip6_tables.h, which do not go together with netinet/in.h.
constexpr int kOriginalDestination = 80;

constexpr std::size_t kFourAt = 12;  // of the IPv4 bytes in an Address

}  // namespace

Endpoint endpoint_of(const sockaddr_storage& socket) {
    if (socket.ss_family == AF_INET) {
        sockaddr_in four;
        std::memcpy(&four, &socket, sizeof four);
        return {four_address(four.sin_addr), ntohs(four.sin_port)};
    }
    if (socket.ss_family != AF_INET6) return {};
    sockaddr_in6 six;
    std::memcpy(&six, &socket, sizeof six);
    return {six_address(six.sin6_addr), ntohs(six.sin6_port)};
}

socklen_t fill(const Endpoint& endpoint, sockaddr_storage& socket) {
    socket = {};
    const auto& bytes = endpoint.address.bytes;
    if (is_four(endpoint.address)) {
        sockaddr_in four{};
        four.sin_family = AF_INET;
        four.sin_port = htons(endpoint.port);
        std::memcpy(&four.sin_addr, bytes.data() + kFourAt, sizeof four.sin_addr);
        std::memcpy(&socket, &four, sizeof four);
        return sizeof four;
    }
    sockaddr_in6 six{};
    six.sin6_family = AF_INET6;
    six.sin6_port = htons(endpoint.port);
    std::memcpy(&six.sin6_addr, bytes.data(), sizeof six.sin6_addr);
    std::memcpy(&socket, &six, sizeof six);
    return sizeof six;
}

platform::Result<sockaddr_storage> original_destination(int connection) {
    sockaddr_storage local{}, original{};
    socklen_t length = sizeof local;
    if (::getsockname(connection, reinterpret_cast<sockaddr*>(&local), &length) != 0)
        return platform::os_error("read the door that a connection came to", "");
    const int level = local.ss_family == AF_INET6 ? SOL_IPV6 : SOL_IP;
    length = sizeof original;
    if (::getsockopt(connection, level, kOriginalDestination, &original, &length) != 0)
        return platform::os_error("read what a connection asked for", "");
    if (endpoint_of(original) == endpoint_of(local))
        return platform::error("read what a connection asked for", "", "it is the door itself");
    return original;
}

}  // namespace reeve::egress
