// Host names and address ranges as policy documents write them. Internal to policy/.
#pragma once

#include <cstdint>
#include <expected>
#include <optional>
#include <string>
#include <string_view>

#include "policy/document.hpp"
#include "policy/network.hpp"

namespace reeve::policy {

// What is wrong with a name or range, and what to do.
struct HostFault {
    std::string message, hint;
};

// A host pattern in the form that is compared: lower case, without a final dot.
std::expected<std::string, HostFault> parse_host_pattern(std::string_view text);

// A class word, an address or a CIDR.
std::expected<AddressRange, HostFault> parse_address_range(std::string_view text);

// An IPv4 address inside an IPv6 one: NAT64 (RFC 6052, well-known prefix), 6to4, IPv4-compatible. `prefix` is
// the length of the prefix that says so.
struct Embedded {
    Address address;
    unsigned prefix;
};
std::optional<Embedded> embedded_in(const Address& address);

// `network` and `prefix` as in AddressRange.
bool in_network(const Address& address, const std::string& network, unsigned prefix);

// Whether a name could be asked of DNS in ASCII form: labels of letters, digits, "-" and "_".
bool is_host_name(std::string_view text);

}  // namespace reeve::policy
