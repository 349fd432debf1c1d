// Which hosts, ports and addresses a policy lets a session reach. Pure: names are resolved by others.
//
// The rules of a layer have no order, here as for files: the strictest that matches wins, and only its own
// `except` makes a hole in it. So {"ask": {"hosts": ["**"]}} is no fallback for hosts that no other rule names:
// it asks about every host, also those that another rule of the layer allows. It could have been taken for one
// (asks for everything only where nothing allows), but then a vendor's or a later added `allow` would quietly
// widen what an administrator wrote as "ask about everything", and files and hosts would differ. What is meant
// as the rest is written {"ask": {"hosts": ["**"], "except": ["api.anthropic.com"]}}; parse_document() warns
// of an `allow` that such a rule leaves without effect.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "policy/layers.hpp"

namespace reeve::policy {

// An IPv6 address, or an IPv4 one as ::ffff:a.b.c.d.
struct Address {
    std::array<std::uint8_t, 16> bytes{};
    bool operator==(const Address&) const = default;
};
// Dotted quad or RFC 4291 text and nothing looser (no octal, no short forms, no zone).
std::optional<Address> parse_address(std::string_view text);

// The classes that an address is in: bits 1 << AddressClass; 0 for what is reserved, multicast or
// unspecified. IPv4 inside NAT64 (RFC 6052), 6to4, and IPv4-compatible or -mapped addresses is judged as the
// IPv4 that it stands for.
unsigned classes_of(const Address& address, const std::vector<Address>& own);

struct NetworkDecision {
    Verdict verdict = Verdict::deny;
    bool by_rule = false;
    std::string rule;
    std::string reason;
    Verify verify = Verify::name;  // of allow and ask
};

// The network rules of all layers for one agent. Where rules of one verdict match, the one that verifies most wins, and
// of those the one whose id comes first is named, so that the order of documents and rules has no influence on the answer. What is no host name (of
// letters, digits, '-', '_', in punycode) and no address is denied.
class NetworkPolicy {
  public:
    struct Entry {
        Authority authority;  // the layer that it counts in
        std::string id;
        NetworkRule rule;
    };
    NetworkPolicy() = default;
    NetworkPolicy(std::vector<Entry> entries, Authority base) : entries_(std::move(entries)), base_(base) {}

    // Whether the name is of any use to the session: the mildest of what decide_host() says for all ports.
    NetworkDecision decide_name(std::string_view host) const;
    // Before the name is resolved: rules about addresses are left out where they deny, and count as met where
    // they allow or ask. A host that is an address literal is decided whole.
    NetworkDecision decide_host(std::string_view host, std::uint16_t port) const;
    // The address that will be dialled; `host` is the name that was asked for, or the literal. `own` are this
    // machine's addresses. IPv4 inside an IPv6 address is judged as the IPv4 that it stands for, by networks too.
    NetworkDecision decide_address(std::string_view host, std::uint16_t port, const Address& address,
                                   const std::vector<Address>& own) const;

    // How many bytes at the end of `host` (without a final dot) are spelled out in a rule that allows it or asks about
    // it: all where one names it literally, 0 where it is let through as any name. The rest is its asker's choice.
    std::size_t spelled_out(std::string_view host) const;

    const std::vector<Entry>& entries() const { return entries_; }

    // The whole, for another process of the same build: network_wire.cpp.
    std::string encode() const;
    static std::optional<NetworkPolicy> decode(std::string_view bytes);

  private:
    NetworkDecision decide(std::string_view host, std::uint16_t port, const Address* address,
                           const std::vector<Address>& own) const;

    std::vector<Entry> entries_;
    Authority base_ = Authority::vendor;
};

// `*` is one label, `**` any number of labels ("**.a.example" also is "a.example"); case is ignored, a final
// dot too.
bool host_matches(std::string_view pattern, std::string_view host);

}  // namespace reeve::policy
