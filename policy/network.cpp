#include "policy/network.hpp"

#include <algorithm>
#include <set>
#include <string_view>
#include <tuple>

#include "policy/host.hpp"

namespace reeve::policy {
namespace {

// Labels are taken from the front; the text that is left loses them and their dot.
std::string_view take_label(std::string_view& text) {
    const auto dot = text.find('.');
    const auto label = text.substr(0, dot);
    text = dot == std::string_view::npos ? std::string_view() : text.substr(dot + 1);
    return label;
}

bool same_label(std::string_view pattern, std::string_view label) {
    const auto lower = [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; };
    return pattern == "*" ||
           std::ranges::equal(pattern, label, [&](char a, char b) { return lower(a) == lower(b); });
}

std::string_view without_final_dot(std::string_view name) {
    if (name.size() > 1 && name.ends_with('.')) name.remove_suffix(1);
    return name;
}

// Addresses have no labels: only what stands for every name stands for them too.
bool is_any_host(std::string_view pattern) {
    while (!pattern.empty()) {
        if (take_label(pattern) != "**") return false;
    }
    return true;
}

const std::string kMappedNetwork("\0\0\0\0\0\0\0\0\0\0\xFF\xFF\0\0\0\0", 16);
constexpr unsigned kMappedPrefix = 96;

// What is asked for, once and for all rules.
struct Question {
    std::string_view host;
    bool is_literal;
    std::uint16_t port;
    const Address* address;  // null: not known yet
    std::optional<Embedded> inner;
    unsigned kinds = 0;
};

bool host_is_in(const std::vector<std::string>& patterns, const Question& question) {
    return std::ranges::any_of(patterns, [&](const std::string& pattern) {
        return question.is_literal ? is_any_host(pattern) : host_matches(pattern, question.host);
    });
}

// A wide IPv6 network is about IPv6: "::/0" has no IPv4 address in it.
bool is_in(const Address& address, const AddressRange& range) {
    const bool is_four = in_network(address, kMappedNetwork, kMappedPrefix);
    return (!is_four || range.prefix >= kMappedPrefix) && in_network(address, range.network, range.prefix);
}

bool address_is_in(const AddressRange& range, Verdict verdict, const Question& question) {
    if (range.kind) return (question.kinds & (1U << static_cast<unsigned>(*range.kind))) != 0;
    if (!question.inner) return is_in(*question.address, range);
    if (is_in(question.inner->address, range)) return true;
    // As the IPv6 address that it is: always where that denies, else only in networks that name such addresses.
    return is_in(*question.address, range) &&
           (verdict == Verdict::deny || range.prefix >= question.inner->prefix);
}

bool address_fits(const NetworkRule& rule, const Question& question) {
    const auto& ranges = rule.target.addresses;
    const bool denies = rule.verdict == Verdict::deny;
    if (question.address == nullptr) return ranges.empty() || !denies;
    if (ranges.empty()) {
        return denies || (question.kinds & (1U << static_cast<unsigned>(AddressClass::public_))) != 0;
    }
    return std::ranges::any_of(
        ranges, [&](const AddressRange& range) { return address_is_in(range, rule.verdict, question); });
}

bool matches(const NetworkRule& rule, const Question& question) {
    const auto& target = rule.target;
    const auto has_port = [&](const PortRange& range) {
        return range.first <= question.port && question.port <= range.last;
    };
    return (target.hosts.empty() || host_is_in(target.hosts, question)) &&
           !host_is_in(target.except, question) &&
           (target.ports.empty() || std::ranges::any_of(target.ports, has_port)) &&
           address_fits(rule, question);
}

NetworkDecision refusal(std::string reason) {
    return {Verdict::deny, false, "", std::move(reason), Verify::name};
}

}  // namespace

bool host_matches(std::string_view pattern, std::string_view host) {
    pattern = without_final_dot(pattern);
    host = without_final_dot(host);
    // Where to go on when a label does not fit: behind the last "**", with one label more given to it.
    std::string_view retry_pattern, retry_host;
    bool can_retry = false;
    while (true) {
        auto rest = pattern;
        const auto wanted = take_label(rest);
        if (wanted == "**") {
            if (rest.empty()) return true;
            retry_pattern = pattern = rest;
            retry_host = host;
            can_retry = true;
            continue;
        }
        if (pattern.empty() && host.empty()) return true;
        auto host_rest = host;
        if (!pattern.empty() && !host.empty() && same_label(wanted, take_label(host_rest))) {
            pattern = rest;
            host = host_rest;
            continue;
        }
        if (!can_retry || retry_host.empty()) return false;
        take_label(retry_host);
        pattern = retry_pattern;
        host = retry_host;
    }
}

NetworkDecision NetworkPolicy::decide(std::string_view host, std::uint16_t port, const Address* address,
                                      const std::vector<Address>& own) const {
    Question question{host, parse_address(host).has_value(), port, address, {}, 0};
    if (!question.is_literal && !is_host_name(host)) return refusal("this is not the name of a host");
    if (address != nullptr) {
        question.inner = embedded_in(*address);
        question.kinds = classes_of(*address, own);
    }
    std::array<const Entry*, kAuthorities> strictest{};
    // Equal verdicts: the first by id, so that the order of documents and rules has no influence.
    const auto before = [](const Entry& a, const Entry& b) {
        return std::tie(b.rule.verdict, b.rule.verify, a.id, a.rule.reason) <
               std::tie(a.rule.verdict, a.rule.verify, b.id, b.rule.reason);
    };
    for (const auto& entry : entries_) {
        auto& best = strictest.at(static_cast<std::size_t>(entry.authority));
        if ((best == nullptr || before(entry, *best)) && matches(entry.rule, question)) best = &entry;
    }
    if (strictest.at(static_cast<std::size_t>(base_)) == nullptr) {
        const auto denies = [](const Entry* entry) {
            return entry != nullptr && entry->rule.verdict == Verdict::deny;
        };
        if (std::ranges::none_of(strictest, denies)) return refusal("no rule allows it");
    }
    const Entry* winner = nullptr;
    Verify verify = Verify::address;
    for (const auto* entry : strictest) {
        if (entry == nullptr) continue;
        if (winner == nullptr || entry->rule.verdict > winner->rule.verdict) winner = entry;
        verify = std::max(verify, entry->rule.verify);
    }
    if (winner == nullptr) return refusal("no rule allows it");
    return {winner->rule.verdict, true, winner->id, winner->rule.reason, verify};
}

// Between two ends of a rule's ports nothing changes.
NetworkDecision NetworkPolicy::decide_name(std::string_view host) const {
    std::set<std::uint16_t> ports{443};
    const Question question{host, parse_address(host).has_value(), 0, nullptr, {}, 0};
    for (const auto& entry : entries_) {
        const auto& target = entry.rule.target;
        if (!target.hosts.empty() && !host_is_in(target.hosts, question)) continue;
        for (const auto& range : target.ports) {
            ports.insert(std::max<std::uint16_t>(range.first, 1));
            if (range.last != 0xFFFF) ports.insert(static_cast<std::uint16_t>(range.last + 1));
        }
    }
    std::optional<NetworkDecision> mildest;
    for (const std::uint16_t port : ports) {
        auto decision = decide_host(host, port);
        if (!mildest || decision.verdict < mildest->verdict) mildest = std::move(decision);
        if (mildest->verdict == Verdict::allow) break;
    }
    return *mildest;
}

std::size_t NetworkPolicy::spelled_out(std::string_view host) const {
    const auto matches_host = [&](const std::string& pattern) { return host_matches(pattern, host); };
    std::size_t most = 0;
    for (const auto& entry : entries_) {
        const auto& target = entry.rule.target;
        if (entry.rule.verdict == Verdict::deny || std::ranges::any_of(target.except, matches_host)) continue;
        for (const auto& pattern : target.hosts)
            if (matches_host(pattern))
                most = std::max(most, pattern.size() - (pattern.rfind('*') + 1));  // npos + 1 is 0
    }
    return std::min(most, host.size());
}

NetworkDecision NetworkPolicy::decide_host(std::string_view host, std::uint16_t port) const {
    const auto literal = parse_address(host);
    return decide(host, port, literal ? &*literal : nullptr, {});
}

NetworkDecision NetworkPolicy::decide_address(std::string_view host, std::uint16_t port,
                                              const Address& address, const std::vector<Address>& own) const {
    const auto literal = parse_address(host);
    if (literal && *literal != address) return refusal("the address is not the one that was asked for");
    return decide(host, port, &address, own);
}

}  // namespace reeve::policy
