#include "daemon/egress/first_bytes.hpp"

#include <algorithm>

namespace reeve::egress {
namespace {

// RFC 8446 section 5.1: a record of the type handshake, and 3 as the major version, whatever is negotiated.
constexpr std::string_view kHandshake("\x16\x03", 2);

// "VERSION-CONTROL" is the longest method there is (IANA's registry).
constexpr std::size_t kLongestMethod = 24;

bool is_method_byte(char c) {
    return (c >= 'A' && c <= 'Z') || c == '-';
}

}  // namespace

std::optional<Protocol> protocol_of(std::string_view first) {
    const auto head = first.substr(0, kHandshake.size());
    if (kHandshake.starts_with(head)) return head == kHandshake ? std::optional(Protocol::tls) : std::nullopt;
    const auto* end = std::ranges::find_if_not(first, is_method_byte);
    const auto size = static_cast<std::size_t>(end - first.begin());
    if (size > kLongestMethod) return Protocol::other;
    if (end == first.end()) return std::nullopt;
    return size != 0 && *end == ' ' ? Protocol::http : Protocol::other;
}

}  // namespace reeve::egress
