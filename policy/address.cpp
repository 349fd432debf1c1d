// Addresses as text, and what kind of address one is.
#include <algorithm>
#include <array>
#include <cstddef>
#include <cstring>
#include <string_view>

#include "policy/host.hpp"
#include "policy/network.hpp"

namespace reeve::policy {
namespace {

constexpr std::array<std::uint8_t, 12> kMapped{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xFF, 0xFF};

// Four decimal numbers without leading zeros, at the start of which some read octal.
bool parse_quad(std::string_view text, std::uint8_t* out) {
    for (int part = 0; part < 4; ++part) {
        unsigned value = 0;
        std::size_t digits = 0;
        while (digits < text.size() && digits < 4 && text[digits] >= '0' && text[digits] <= '9') {
            value = value * 10 + static_cast<unsigned>(text[digits++] - '0');
        }
        if (digits == 0 || value > 255 || (digits > 1 && text[0] == '0')) return false;
        out[part] = static_cast<std::uint8_t>(value);
        text.remove_prefix(digits);
        if (part == 3) return text.empty();
        if (!text.starts_with('.')) return false;
        text.remove_prefix(1);
    }
    return false;
}

std::optional<unsigned> hex_group(std::string_view text) {
    if (text.empty() || text.size() > 4) return std::nullopt;
    unsigned value = 0;
    for (const char c : text) {
        const int digit = c >= '0' && c <= '9'   ? c - '0'
                          : c >= 'a' && c <= 'f' ? c - 'a' + 10
                          : c >= 'A' && c <= 'F' ? c - 'A' + 10
                                                 : -1;
        if (digit < 0) return std::nullopt;
        value = value * 16 + static_cast<unsigned>(digit);
    }
    return value;
}

// Groups with ':' between them, without a "::"; an IPv4 address may be the last. Gives how many bytes of `out`
// it filled, or nothing if it is no such text or there are more than 16.
std::optional<std::size_t> parse_groups(std::string_view text, bool quad_may_end, std::uint8_t* out) {
    std::size_t used = 0;
    while (!text.empty()) {
        const auto colon = text.find(':');
        const auto group = text.substr(0, colon);
        if (colon == std::string_view::npos && quad_may_end && group.find('.') != std::string_view::npos) {
            if (used > 12 || !parse_quad(group, out + used)) return std::nullopt;
            return used + 4;
        }
        const auto value = hex_group(group);
        if (!value || used > 14) return std::nullopt;
        out[used++] = static_cast<std::uint8_t>(*value >> 8);
        out[used++] = static_cast<std::uint8_t>(*value & 0xFF);
        if (colon == std::string_view::npos) return used;
        text.remove_prefix(colon + 1);
        if (text.empty()) return std::nullopt;
    }
    return used;
}

// Whether the first `bits` of both are the same.
bool same_prefix(const std::uint8_t* a, const std::uint8_t* b, unsigned bits) {
    if (std::memcmp(a, b, bits / 8) != 0) return false;
    const unsigned rest = bits % 8;
    return rest == 0 || (a[bits / 8] >> (8 - rest)) == (b[bits / 8] >> (8 - rest));
}

Address from_quad(const std::uint8_t* quad) {
    Address address;
    std::ranges::copy(kMapped, address.bytes.begin());
    std::copy_n(quad, 4, address.bytes.begin() + 12);
    return address;
}

struct Network {
    std::string_view text;
    unsigned kinds;
};
constexpr unsigned bit_of(AddressClass kind) {
    return 1U << static_cast<unsigned>(kind);
}
constexpr unsigned kPublic = bit_of(AddressClass::public_), kPrivate = bit_of(AddressClass::private_),
                   kLoopback = bit_of(AddressClass::loopback), kLink = bit_of(AddressClass::link_local),
                   kMetadata = bit_of(AddressClass::metadata), kReserved = 0;

// The first that holds an address says what it is: IANA's special-purpose registries (RFC 6890 and what came
// after), and where clouds serve a machine's own credentials and settings.
constexpr Network kNetworks[] = {
    {"169.254.169.254/32", kMetadata | kLink},  // AWS, Azure, Google, Oracle, DigitalOcean, OpenStack
    {"169.254.170.2/32", kMetadata | kLink},    // AWS container credentials
    {"169.254.170.23/32", kMetadata | kLink},   // AWS EKS pod identity
    {"169.254.42.42/32", kMetadata | kLink},    // Scaleway
    {"169.254.0.0/16", kLink},
    {"100.100.100.200/32", kMetadata | kPrivate},  // Alibaba
    {"168.63.129.16/32", kMetadata},               // Azure's host, in public space
    {"192.0.0.192/32", kMetadata},                 // Oracle, older
    {"0.0.0.0/8", kReserved},                      // "this host": Linux takes 0.0.0.0 for itself
    {"10.0.0.0/8", kPrivate},
    {"100.64.0.0/10", kPrivate},  // behind a carrier's NAT; overlay networks
    {"127.0.0.0/8", kLoopback},
    {"172.16.0.0/12", kPrivate},
    {"192.0.0.0/24", kReserved},
    {"192.0.2.0/24", kReserved},    // documentation
    {"192.88.99.0/24", kReserved},  // 6to4 relays, given up
    {"192.168.0.0/16", kPrivate},
    {"198.18.0.0/15", kReserved},    // benchmarks
    {"198.51.100.0/24", kReserved},  // documentation
    {"203.0.113.0/24", kReserved},   // documentation
    {"224.0.0.0/3", kReserved},      // multicast, future use, broadcast
    {"0.0.0.0/0", kPublic},
    {"::1/128", kLoopback},
    {"fd00:ec2::254/128", kMetadata | kPrivate},       // AWS
    {"fd00:ec2::23/128", kMetadata | kPrivate},        // AWS EKS pod identity
    {"fd20:ce::254/128", kMetadata | kPrivate},        // Google
    {"fd00:42::42/128", kMetadata | kPrivate},         // Scaleway
    {"fd00:c1::a9fe:a9fe/128", kMetadata | kPrivate},  // Oracle
    {"fe80::/10", kLink},
    {"fc00::/7", kPrivate},
    {"fec0::/10", kPrivate},       // site-local, given up but routed where it is left
    {"2001::/23", kReserved},      // Teredo, benchmarks, ORCHID and other protocols' own
    {"2001:db8::/32", kReserved},  // documentation
    {"3fff::/20", kReserved},      // documentation
    {"2000::/3", kPublic},
    {"::/0", kReserved},  // all that IANA has not handed out, multicast, discard
};

struct Row {
    Address network;
    unsigned prefix, kinds;
};

const std::vector<Row>& rows() {
    static const auto kRows = [] {
        std::vector<Row> all;
        for (const auto& [text, kinds] : kNetworks) {
            const auto range = parse_address_range(text);
            Row row{{}, range->prefix, kinds};
            std::ranges::copy(range->network, reinterpret_cast<char*>(row.network.bytes.data()));
            all.push_back(row);
        }
        return all;
    }();
    return kRows;
}

}  // namespace

std::optional<Address> parse_address(std::string_view text) {
    Address address;
    std::array<std::uint8_t, 4> quad{};
    if (text.find(':') == std::string_view::npos) {
        if (!parse_quad(text, quad.data())) return std::nullopt;
        return from_quad(quad.data());
    }
    const auto gap = text.find("::");
    if (gap == std::string_view::npos) {
        if (parse_groups(text, true, address.bytes.data()) != 16) return std::nullopt;
        return address;
    }
    std::array<std::uint8_t, 20> head{}, tail{};
    const auto before = parse_groups(text.substr(0, gap), false, head.data());
    const auto after = parse_groups(text.substr(gap + 2), true, tail.data());
    // RFC 4291 section 2.2: "::" stands for one group or more.
    if (!before || !after || *before + *after > 14) return std::nullopt;
    std::copy_n(head.begin(), *before, address.bytes.begin());
    std::copy_n(tail.begin(), *after, address.bytes.end() - static_cast<std::ptrdiff_t>(*after));
    return address;
}

std::optional<Embedded> embedded_in(const Address& address) {
    static constexpr std::array<std::uint8_t, 12> kNat64{0, 0x64, 0xFF, 0x9B};
    static constexpr std::array<std::uint8_t, 12> kCompatible{};
    const auto* bytes = address.bytes.data();
    if (same_prefix(bytes, kNat64.data(), 96)) return Embedded{from_quad(bytes + 12), 96};  // RFC 6052
    if (bytes[0] == 0x20 && bytes[1] == 0x02) return Embedded{from_quad(bytes + 2), 16};    // RFC 3056
    // RFC 4291 section 2.5.5.1; :: and ::1 are none.
    const bool is_small = bytes[12] == 0 && bytes[13] == 0 && bytes[14] == 0 && bytes[15] <= 1;
    if (same_prefix(bytes, kCompatible.data(), 96) && !is_small) return Embedded{from_quad(bytes + 12), 96};
    return std::nullopt;
}

bool in_network(const Address& address, const std::string& network, unsigned prefix) {
    return network.size() == address.bytes.size() && prefix <= 128 &&
           same_prefix(address.bytes.data(), reinterpret_cast<const std::uint8_t*>(network.data()), prefix);
}

unsigned classes_of(const Address& address, const std::vector<Address>& own) {
    const auto judged = [](const Address& any) {
        const auto inner = embedded_in(any);
        return inner ? inner->address : any;
    };
    const Address subject = judged(address);
    const auto row = std::ranges::find_if(rows(), [&](const Row& candidate) {
        return same_prefix(subject.bytes.data(), candidate.network.bytes.data(), candidate.prefix);
    });
    unsigned kinds = row == rows().end() ? kReserved : row->kinds;
    // What answers there is this machine, whatever the address says.
    const bool is_own =
        std::ranges::any_of(own, [&](const Address& mine) { return judged(mine) == subject; });
    if (is_own) kinds = (kinds & ~kPublic) | bit_of(AddressClass::own);
    return kinds;
}

}  // namespace reeve::policy
