// Finds network rules that allow and yet never do, because a stricter rule for all hosts covers them: the
// likeliest mistake of those who expect the narrower rule to win.
#include <algorithm>

#include "policy/document_reader.hpp"
#include "policy/network.hpp"

namespace reeve::policy {
namespace {

// How many names and ports are compared in all: what a person writes is far below, and what would take minutes
// is left without such warnings.
constexpr std::size_t kMaxComparisons = 2'000'000;

bool is_catch_all(const NetworkRule& rule) {
    const auto& hosts = rule.target.hosts;
    return rule.verdict != Verdict::allow && rule.target.addresses.empty() &&
           (hosts.empty() || std::ranges::find(hosts, "**") != hosts.end());
}

bool covers_agents(const NetworkRule& strict, const NetworkRule& rule) {
    const auto is_covered = [&](const std::string& agent) {
        return std::ranges::find(strict.agents, agent) != strict.agents.end();
    };
    return strict.agents.empty() || (!rule.agents.empty() && std::ranges::all_of(rule.agents, is_covered));
}

bool covers_ports(const NetworkTarget& strict, const NetworkTarget& target) {
    const auto is_covered = [&](const PortRange& wanted) {
        return std::ranges::any_of(strict.ports, [&](const PortRange& range) {
            return range.first <= wanted.first && wanted.last <= range.last;
        });
    };
    return strict.ports.empty() || (!target.ports.empty() && std::ranges::all_of(target.ports, is_covered));
}

// A question is about public addresses alone, a denial about all.
bool covers_addresses(const NetworkRule& strict, const NetworkTarget& target) {
    const auto is_public = [](const AddressRange& range) { return range.kind == AddressClass::public_; };
    return strict.verdict == Verdict::deny || std::ranges::all_of(target.addresses, is_public);
}

// Whether some host of the target might be in the strict rule's `except`; in doubt, yes.
bool may_be_excepted(const NetworkTarget& strict, const NetworkTarget& target) {
    if (strict.except.empty()) return false;
    const auto is_wild = [](const std::string& host) { return host.find('*') != std::string::npos; };
    const auto is_excepted = [&](const std::string& host) {
        return is_wild(host) || std::ranges::any_of(strict.except, [&](const std::string& pattern) {
                   return host_matches(pattern, host);
               });
    };
    return target.hosts.empty() || std::ranges::any_of(target.hosts, is_excepted);
}

std::size_t cost_of(const NetworkRule& strict, const NetworkRule& rule) {
    return 1 + strict.agents.size() * rule.agents.size() +
           strict.target.ports.size() * rule.target.ports.size() +
           strict.target.except.size() * rule.target.hosts.size();
}

}  // namespace

void warn_of_shadowed(const Document& document, Report& report) {
    std::vector<const NetworkRule*> catch_alls;
    for (const auto& rule : document.network) {
        if (is_catch_all(rule)) catch_alls.push_back(&rule);
    }
    std::size_t comparisons = 0;
    for (const auto& rule : document.network) {
        if (rule.verdict != Verdict::allow) continue;
        const auto covers = [&](const NetworkRule* strict) {
            comparisons += cost_of(*strict, rule);
            return comparisons < kMaxComparisons && covers_agents(*strict, rule) &&
                   covers_ports(strict->target, rule.target) && covers_addresses(*strict, rule.target) &&
                   !may_be_excepted(strict->target, rule.target);
        };
        const auto found = std::ranges::find_if(catch_alls, covers);
        if (found == catch_alls.end()) continue;
        std::string hosts;
        for (const auto& host : rule.target.hosts) hosts += (hosts.empty() ? "" : ", ") + in_quotes(host);
        report.warning(rule.at,
                       "this \"allow\" has no effect: the \"" + std::string(name_of((*found)->verdict)) +
                           "\" in line " + std::to_string((*found)->at.line) +
                           " covers it, and the stricter rule wins",
                       hosts.empty() || hosts.size() > 200 ? "give that rule an \"except\""
                                                           : "give that rule \"except\": [" + hosts + "]");
    }
}

}  // namespace reeve::policy
