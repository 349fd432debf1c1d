#include "daemon/egress/address_text.hpp"

#include <arpa/inet.h>

#include <algorithm>
#include <array>
#include <cstring>

namespace reeve::egress {
namespace {

constexpr std::array<std::uint8_t, 12> kMapped{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xFF, 0xFF};

}  // namespace

policy::Address four_address(const in_addr& four) {
    policy::Address address;
    std::ranges::copy(kMapped, address.bytes.begin());
    std::memcpy(address.bytes.data() + kMapped.size(), &four, sizeof four);
    return address;
}

policy::Address six_address(const in6_addr& six) {
    policy::Address address;
    std::memcpy(address.bytes.data(), &six, sizeof six);
    return address;
}

bool is_four(const policy::Address& address) {
    return std::equal(kMapped.begin(), kMapped.end(), address.bytes.begin());
}

std::string to_text(const policy::Address& address) {
    std::array<char, INET6_ADDRSTRLEN> text{};
    if (is_four(address))
        ::inet_ntop(AF_INET, address.bytes.data() + kMapped.size(), text.data(), text.size());
    else
        ::inet_ntop(AF_INET6, address.bytes.data(), text.data(), text.size());
    return text.data();
}

}  // namespace reeve::egress
