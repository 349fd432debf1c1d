// policy::Address to and from what the socket interface has, and as text.
#pragma once

#include <netinet/in.h>

#include <string>

#include "policy/network.hpp"

namespace reeve::egress {

policy::Address four_address(const in_addr& four);
policy::Address six_address(const in6_addr& six);
bool is_four(const policy::Address& address);
// RFC 5952; an IPv4 address as a dotted quad.
std::string to_text(const policy::Address& address);

}  // namespace reeve::egress
