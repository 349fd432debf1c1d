// The only addresses that reeve-egress dials: those that policy said yes to, together with the port.
//
// A name is resolved once and what came back is checked and dialled; nothing is resolved again in between (DNS
// rebinding). It does not cover: whether the one who answers there is who the name says (first_bytes.hpp).
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

#include "platform/result.hpp"
#include "policy/network.hpp"

namespace reeve::egress {

struct Check;
// Whether the person has said yes to this host and port.
enum class Consent : std::uint8_t { none, given };

// `host` is the name that was asked for, or the address literal; `own` are this machine's addresses.
Check check(const policy::NetworkPolicy& policy, std::string_view host, std::uint16_t port,
            const policy::Address& address, const std::vector<policy::Address>& own,
            Consent consent = Consent::none);

class CheckedAddress {
  public:
    const policy::Address& address() const { return address_; }
    std::uint16_t port() const { return port_; }

  private:
    CheckedAddress(const policy::Address& address, std::uint16_t port) : address_(address), port_(port) {}
    friend Check check(const policy::NetworkPolicy&, std::string_view, std::uint16_t, const policy::Address&,
                       const std::vector<policy::Address>&, Consent);

    policy::Address address_;
    std::uint16_t port_;
};

struct Check {
    policy::NetworkDecision decision;
    // Where the decision is allow, or ask with consent given. Consent lifts no denial.
    std::optional<CheckedAddress> address;
};

// Of all of this machine's interfaces, as they are now: they change, so they are asked for at each dial.
platform::Result<std::vector<policy::Address>> own_addresses();

}  // namespace reeve::egress
