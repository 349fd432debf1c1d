#include "daemon/egress/name_budget.hpp"

#include <algorithm>
#include <array>
#include <cmath>

#include "daemon/egress/name_text.hpp"

namespace reeve::egress {
namespace {

constexpr std::size_t kLong = 24, kShortestRandom = 12;
constexpr std::size_t kDearer = 4;
constexpr double kNearMost = 0.9;
// Of all domains together, which bounds the memory: more than Names gives addresses.
constexpr std::size_t kMostNames = 140'000;

double entropy_of(std::string_view label) {
    std::array<unsigned, 256> counts{};
    for (const char c : label) ++counts.at(static_cast<unsigned char>(c));
    double bits = 0;
    for (const unsigned count : counts) {
        if (count == 0) continue;
        const double share = count / static_cast<double>(label.size());
        bits -= share * std::log2(share);
    }
    return bits;
}

bool looks_random(std::string_view label) {
    if (label.size() < kShortestRandom) return false;
    if (entropy_of(label) >= kNearMost * std::log2(static_cast<double>(label.size()))) return true;
    const auto digits =
        static_cast<std::size_t>(std::ranges::count_if(label, [](char c) { return c >= '0' && c <= '9'; }));
    const auto letters =
        static_cast<std::size_t>(std::ranges::count_if(label, [](char c) { return c >= 'a' && c <= 'z'; }));
    return std::min(digits, letters) * 4 >= label.size();
}

}  // namespace

NameBudget::NameBudget(const policy::NetworkPolicy& policy, std::size_t units)
    : policy_(policy), units_(units) {}

std::string NameBudget::domain_of(const std::string& name) {
    std::string domain = registrable_domain(name);
    return domain.empty() ? name : domain;
}

std::size_t NameBudget::cost_of(std::string_view chosen) {
    std::size_t cost = 0;
    while (!chosen.empty()) {
        const auto label = chosen.substr(0, chosen.find('.'));
        chosen.remove_prefix(std::min(chosen.size(), label.size() + 1));
        const bool dear = label.size() > kLong || looks_random(label);
        cost += label.size() * (dear ? kDearer : 1);
    }
    return cost;
}

bool NameBudget::admit(const std::string& name) {
    const std::size_t chosen = name.size() - std::min(name.size(), policy_.spelled_out(name));
    if (chosen == 0 || admitted_.contains(name)) return true;
    const std::size_t cost = cost_of(std::string_view(name).substr(0, chosen));
    const std::string domain = domain_of(name);
    const auto found = spent_.find(domain);
    const std::size_t spent = found == spent_.end() ? 0 : found->second;
    if (cost > units_ - spent || admitted_.size() >= kMostNames) return false;
    spent_[domain] = spent + cost;
    admitted_.insert(name);
    return true;
}

}  // namespace reeve::egress
