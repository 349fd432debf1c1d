#include "daemon/egress/request_head.hpp"

#include <algorithm>
#include <charconv>
#include <optional>
#include <vector>

#include "daemon/egress/name_text.hpp"
#include "policy/network.hpp"

namespace reeve::egress {
namespace {

constexpr std::string_view kEnd = "\r\n";
constexpr std::uint16_t kHttpPort = 80;

struct Field {
    std::string
        name;      // in lower case, with '-' for '_': CGI and what came after it take the two for the same
    bool renamed;  // it had a '_'
    std::string_view value;
};

char lower(char c) {
    return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c;
}
bool same_word(std::string_view a, std::string_view b) {
    return std::ranges::equal(a, b, [](char x, char y) { return lower(x) == lower(y); });
}
bool is_token_byte(char c) {
    constexpr std::string_view kMarks = "!#$%&'*+-.^_`|~";  // RFC 9110 section 5.6.2
    return (lower(c) >= 'a' && lower(c) <= 'z') || (c >= '0' && c <= '9') ||
           kMarks.find(c) != std::string_view::npos;
}
bool is_token(std::string_view text) {
    return !text.empty() && std::ranges::all_of(text, is_token_byte);
}
bool is_value_byte(char c) {
    const auto byte = static_cast<unsigned char>(c);
    return byte == '\t' || (byte >= 0x20 && byte != 0x7F);
}

std::string_view take_until(std::string_view& text, std::string_view mark) {
    const auto at = text.find(mark);
    const auto taken = text.substr(0, at);
    text = at == std::string_view::npos ? std::string_view() : text.substr(at + mark.size());
    return taken;
}

std::string_view trimmed(std::string_view text) {
    constexpr std::string_view kBlank = " \t";
    const auto first = text.find_first_not_of(kBlank);
    if (first == std::string_view::npos) return {};
    return text.substr(first, text.find_last_not_of(kBlank) - first + 1);
}

// Digits alone: no sign, no blank, no list.
template <class T>
std::optional<T> number(std::string_view text) {
    T value = 0;
    const bool digits =
        !text.empty() && std::ranges::all_of(text, [](char c) { return c >= '0' && c <= '9'; });
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (!digits || error != std::errc{} || end != text.data() + text.size()) return std::nullopt;
    return value;
}

// "name", "name:80", "[2001:db8::1]:80": whether it is this host and port.
bool is_authority(std::string_view text, std::string_view host, std::uint16_t port) {
    std::string_view name, rest;
    if (text.starts_with('[')) {
        const auto close = text.find(']');
        if (close == std::string_view::npos) return false;
        name = text.substr(1, close - 1);
        rest = text.substr(close + 1);
        if (name.find(':') == std::string_view::npos) return false;
    } else {
        name = text.substr(0, text.find(':'));
        rest = text.substr(name.size());
    }
    if (!rest.empty() && (rest.front() != ':' || number<std::uint16_t>(rest.substr(1)) != port)) return false;
    if (rest.empty() && port != kHttpPort) return false;
    if (const auto literal = policy::parse_address(host)) return policy::parse_address(name) == literal;
    return is_host_text(plain_name(name)) && plain_name(name) == plain_name(host);
}

struct Line {
    std::string_view method, target;
    bool is_1_1;
};

std::optional<Line> request_line(std::string_view line) {
    Line read{};
    read.method = take_until(line, " ");
    read.target = take_until(line, " ");
    read.is_1_1 = line == "HTTP/1.1";
    // curl sends names of files as they are, in UTF-8.
    const bool plain = std::ranges::all_of(read.target, [](char c) { return is_value_byte(c) && c != '\t'; });
    if (!is_token(read.method) || read.target.empty() || !plain || (!read.is_1_1 && line != "HTTP/1.0"))
        return std::nullopt;
    return read;
}

// What the target says beside the path; empty: nothing is wrong with it.
std::string target_fault(const Line& line, std::string_view host, std::uint16_t port) {
    if (same_word(line.method, "CONNECT")) return "it is a CONNECT";
    if (line.target.starts_with('/')) return {};
    if (line.target == "*") return line.method == "OPTIONS" ? "" : "its target is no path";
    constexpr std::string_view kScheme = "http://";
    if (!same_word(line.target.substr(0, kScheme.size()), kScheme)) return "its target is no path";
    const auto rest = line.target.substr(kScheme.size());
    if (!is_authority(rest.substr(0, rest.find_first_of("/?#")), host, port))
        return "its target is for another host or port";
    return {};
}

std::optional<Field> field_of(std::string_view line) {
    const auto colon = line.find(':');
    if (colon == std::string_view::npos) return std::nullopt;
    Field field{std::string(line.substr(0, colon)), false, trimmed(line.substr(colon + 1))};
    if (!is_token(field.name) || !std::ranges::all_of(field.value, is_value_byte)) return std::nullopt;
    for (char& c : field.name) {
        field.renamed = field.renamed || c == '_';
        c = c == '_' ? '-' : lower(c);
    }
    return field;
}

// The fields that say how long a request is and whom it is for.
struct Meaning {
    std::vector<std::string_view> hosts, lengths, codings;
    std::string fault;

    void take(const Field& field) {
        if (field.name == "upgrade") fault = "it asks for another protocol (Upgrade)";
        auto* where = field.name == "host"                ? &hosts
                      : field.name == "content-length"    ? &lengths
                      : field.name == "transfer-encoding" ? &codings
                                                          : nullptr;
        if (where == nullptr) return;
        if (field.renamed) fault = "it has a field that is taken for " + field.name;
        where->push_back(field.value);
    }
};

platform::Result<Body> body_of(const Meaning& fields, bool is_1_1, std::string_view host) {
    if (fields.lengths.size() + fields.codings.size() > 1)
        return wrong_request(host, "the length of its body is said twice");
    if (!fields.codings.empty()) {
        if (!is_1_1) return wrong_request(host, "it is HTTP/1.0 with a Transfer-Encoding");
        if (!same_word(fields.codings[0], "chunked"))
            return wrong_request(host, "its Transfer-Encoding is not chunked alone");
        return Body{true, 0};
    }
    if (fields.lengths.empty()) return Body{};
    const auto length = number<std::uint64_t>(fields.lengths[0]);
    if (!length) return wrong_request(host, "its Content-Length is no number");
    return Body{false, *length};
}

}  // namespace

std::unexpected<platform::Error> wrong_request(std::string_view host, std::string why) {
    return platform::error("pass on an HTTP request to", std::string(host), std::move(why));
}

platform::Result<Body> read_request_head(std::string_view head, std::string_view host, std::uint16_t port) {
    const auto line = request_line(take_until(head, kEnd));
    if (!line) return wrong_request(host, "its first line is not of HTTP/1.0 or 1.1");
    if (auto fault = target_fault(*line, host, port); !fault.empty())
        return wrong_request(host, std::move(fault));
    Meaning fields;
    while (!head.empty() && head != kEnd) {
        const auto text = take_until(head, kEnd);
        if (text.starts_with(' ') || text.starts_with('\t'))
            return wrong_request(host, "a field of it goes over several lines");
        const auto field = field_of(text);
        if (!field) return wrong_request(host, "a field of it is malformed");
        fields.take(*field);
    }
    if (!fields.fault.empty()) return wrong_request(host, fields.fault);
    if (fields.hosts.size() != 1)
        return wrong_request(host, fields.hosts.empty() ? "it has no Host" : "it has two Hosts");
    if (!is_authority(fields.hosts[0], host, port))
        return wrong_request(host, "its Host is another host or port");
    return body_of(fields, line->is_1_1, host);
}

}  // namespace reeve::egress
