#include "daemon/egress/checked_address.hpp"

#include <ifaddrs.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <memory>

#include "daemon/access/holes.hpp"
#include "daemon/egress/address_text.hpp"

namespace reeve::egress {
namespace {

std::optional<policy::Address> address_in(const sockaddr* from) {
    if (from == nullptr) return std::nullopt;
    if (from->sa_family == AF_INET) return four_address(reinterpret_cast<const sockaddr_in*>(from)->sin_addr);
    if (from->sa_family == AF_INET6)
        return six_address(reinterpret_cast<const sockaddr_in6*>(from)->sin6_addr);
    return std::nullopt;
}

}  // namespace

Check check(const policy::NetworkPolicy& policy, std::string_view host, std::uint16_t port,
            const policy::Address& address, const std::vector<policy::Address>& own, Consent consent) {
    Check result{policy.decide_address(host, port, address, own), std::nullopt};
    const auto verdict = result.decision.verdict;
    if (access::lacks("egress.address") || verdict == policy::Verdict::allow ||
        (verdict == policy::Verdict::ask && consent == Consent::given))
        result.address = CheckedAddress(address, port);
    return result;
}

platform::Result<std::vector<policy::Address>> own_addresses() {
    ifaddrs* first = nullptr;
    if (::getifaddrs(&first) != 0) return platform::os_error("list the addresses of this machine", "");
    const std::unique_ptr<ifaddrs, decltype(&::freeifaddrs)> list(first, &::freeifaddrs);
    std::vector<policy::Address> own;
    for (const ifaddrs* one = first; one != nullptr; one = one->ifa_next)
        if (const auto address = address_in(one->ifa_addr)) own.push_back(*address);
    return own;
}

}  // namespace reeve::egress
