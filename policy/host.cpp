#include "policy/host.hpp"

#include <algorithm>

#include "policy/number_text.hpp"
#include "policy/report.hpp"

namespace reeve::policy {
namespace {

constexpr std::size_t kMaxName = 253, kMaxLabel = 63;  // RFC 1035

bool is_label_byte(char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' || c == '_';
}
bool is_number(std::string_view text) {
    return !text.empty() && std::ranges::all_of(text, [](char c) { return c >= '0' && c <= '9'; });
}

// What is wrong with one label of a pattern.
std::optional<HostFault> label_fault(std::string_view label) {
    if (label == "*" || label == "**") return std::nullopt;
    if (label.empty()) return HostFault{"two dots in a row, or one at the start", "remove one"};
    if (label.size() > kMaxLabel) return HostFault{"a label of more than 63 characters", ""};
    if (label.find('*') != std::string_view::npos) {
        return HostFault{"a star stands for whole labels only",
                         "write \"*.example.com\" or \"**.example.com\""};
    }
    const auto bad = std::ranges::find_if_not(label, is_label_byte);
    if (bad == label.end()) return std::nullopt;
    if (*bad == ':' || *bad == '/' || *bad == '@') {
        return HostFault{"a host is a name alone",
                         "leave scheme, port and path out; ports stand in \"ports\""};
    }
    return HostFault{in_quotes(label) + " cannot stand in a host name",
                     "use letters, digits and \"-\"; \"*\" is one label, \"**\" any number"};
}

std::optional<AddressClass> class_word(std::string_view text) {
    static constexpr std::pair<std::string_view, AddressClass> kClassWords[] = {
        {"public", AddressClass::public_},    {"private", AddressClass::private_},
        {"loopback", AddressClass::loopback}, {"link-local", AddressClass::link_local},
        {"metadata", AddressClass::metadata}, {"own", AddressClass::own}};
    const auto* found =
        std::ranges::find(kClassWords, text, &std::pair<std::string_view, AddressClass>::first);
    if (found == std::end(kClassWords)) return std::nullopt;
    return found->second;
}

std::string dotted(const std::string& network, std::size_t from) {
    std::string text;
    for (std::size_t i = from; i < network.size(); ++i) {
        text += (text.empty() ? "" : ".") + std::to_string(static_cast<unsigned char>(network[i]));
    }
    return text;
}

}  // namespace

std::expected<std::string, HostFault> parse_host_pattern(std::string_view text) {
    if (std::ranges::any_of(text, [](char c) { return static_cast<unsigned char>(c) >= 0x80; })) {
        return std::unexpected(HostFault{"a name is compared in the form that it has in DNS",
                                         "write its punycode form, such as \"xn--bcher-kva.example\""});
    }
    auto bare = text;
    if (bare.size() > 1 && bare.ends_with('.')) bare.remove_suffix(1);
    if (bare.empty()) return std::unexpected(HostFault{"an empty name", "write \"**\" for every host"});
    if (parse_address(bare) || bare.starts_with('[')) {
        return std::unexpected(HostFault{"this is an address, not a name", "put it under \"addresses\""});
    }
    if (bare.size() > kMaxName) return std::unexpected(HostFault{"a name of more than 253 characters", ""});
    std::string host;
    std::string_view rest = bare, label;
    for (bool more = true; more;) {
        const auto dot = rest.find('.');
        more = dot != std::string_view::npos;
        label = rest.substr(0, dot);
        if (auto fault = label_fault(label)) return std::unexpected(*fault);
        if (more) rest.remove_prefix(dot + 1);
    }
    // No top-level domain is a number; programs read such names as addresses.
    if (is_number(label)) {
        return std::unexpected(HostFault{"a name does not end in a number",
                                         "put networks under \"addresses\", such as \"10.0.0.0/8\""});
    }
    for (const char c : bare) host += c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c;
    return host;
}

std::expected<AddressRange, HostFault> parse_address_range(std::string_view text) {
    if (const auto kind = class_word(text)) return AddressRange{kind, "", 0};
    const auto slash = text.find('/');
    const auto address = parse_address(text.substr(0, slash));
    if (!address) {
        const auto hint =
            suggestion(text, {"public", "private", "loopback", "link-local", "metadata", "own"});
        return std::unexpected(HostFault{
            in_quotes(text) + " is no address",
            hint.starts_with("did") ? hint
                                    : hint + ", or networks such as \"10.0.0.0/8\" and \"2001:db8::/32\""});
    }
    const bool is_four = text.substr(0, slash).find(':') == std::string_view::npos;
    const unsigned most = is_four ? 32 : 128;
    unsigned prefix = most;
    if (slash != std::string_view::npos) {
        const auto digits = text.substr(slash + 1);
        const auto number = number_of<unsigned>(digits);
        if (!number || *number > most || (digits.size() > 1 && digits[0] == '0')) {
            return std::unexpected(HostFault{in_quotes(text) + " has no prefix length",
                                             "write 0 to " + std::to_string(most) + " behind the slash"});
        }
        prefix = *number;
    }
    AddressRange range{std::nullopt, std::string(address->bytes.begin(), address->bytes.end()),
                       prefix + (is_four ? 96 : 0)};
    std::string cut = range.network;
    for (unsigned bit = range.prefix; bit < 128; ++bit) {
        cut[bit / 8] = static_cast<char>(static_cast<unsigned char>(cut[bit / 8]) & ~(0x80U >> (bit % 8)));
    }
    if (cut != range.network) {
        const auto hint = is_four ? "write \"" + dotted(cut, 12) + "/" + std::to_string(prefix) + "\""
                                  : std::string("write zeros behind the prefix, or a longer prefix");
        return std::unexpected(HostFault{in_quotes(text) + " has bits behind its prefix", hint});
    }
    return range;
}

bool is_host_name(std::string_view text) {
    if (text.size() > 1 && text.ends_with('.')) text.remove_suffix(1);
    if (text.empty() || text.size() > kMaxName) return false;
    while (true) {
        const auto dot = text.find('.');
        const auto label = text.substr(0, dot);
        if (label.empty() || label.size() > kMaxLabel || !std::ranges::all_of(label, is_label_byte))
            return false;
        if (dot == std::string_view::npos) return true;
        text.remove_prefix(dot + 1);
    }
}

}  // namespace reeve::policy
