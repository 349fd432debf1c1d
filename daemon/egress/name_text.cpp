#include "daemon/egress/name_text.hpp"

#include <libpsl.h>

#include <algorithm>

#include "policy/network.hpp"

namespace reeve::egress {
namespace {

bool is_digit(char c) {
    return c >= '0' && c <= '9';
}
bool is_hex(char c) {
    return is_digit(c) || (c >= 'a' && c <= 'f');
}
bool is_host_byte(char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || is_digit(c) || c == '-' || c == '_';
}

constexpr std::size_t kMaxName = 253, kMaxLabel = 63;  // RFC 1035

}  // namespace

std::string plain_name(std::string_view name) {
    if (name.ends_with('.')) name.remove_suffix(1);
    std::string plain(name);
    for (char& c : plain)
        if (c >= 'A' && c <= 'Z') c = static_cast<char>(c + 32);
    return plain;
}

bool is_host_text(std::string_view name) {
    if (name.size() > kMaxName) return false;
    while (true) {
        const auto dot = name.find('.');
        const auto label = name.substr(0, dot);
        if (label.empty() || label.size() > kMaxLabel || !std::ranges::all_of(label, is_host_byte))
            return false;
        if (dot == std::string_view::npos) return true;
        name.remove_prefix(dot + 1);
    }
}

bool ends_in_number(std::string_view name) {
    const std::string plain = plain_name(name);
    const auto label = std::string_view(plain).substr(plain.rfind('.') + 1);  // npos + 1 is 0
    if (label.starts_with("0x")) return std::ranges::all_of(label.substr(2), is_hex);
    return !label.empty() && std::ranges::all_of(label, is_digit);
}

bool is_under(std::string_view name, std::string_view domain) {
    if (!name.ends_with(domain)) return false;
    return name.size() == domain.size() || name[name.size() - domain.size() - 1] == '.';
}

std::string registrable_domain(std::string_view name) {
    const std::string plain = plain_name(name);
    if (policy::parse_address(plain) || !is_host_text(plain)) return {};
    const char* domain = ::psl_registrable_domain(::psl_builtin(), plain.c_str());
    return domain == nullptr ? std::string() : domain;
}

}  // namespace reeve::egress
