// What the tests of names and lookups share: policies of a few rules, DNS queries as bytes, a resolver without a network.
#pragma once

#include <gtest/gtest.h>

#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "daemon/egress/dns_message.hpp"
#include "daemon/egress/resolver.hpp"
#include "policy/network.hpp"

namespace reeve::egress {

struct Rule {
    policy::Verdict verdict;
    std::vector<std::string> hosts;
};

inline policy::NetworkPolicy policy_of(const std::vector<Rule>& rules) {
    std::vector<policy::NetworkPolicy::Entry> entries;
    for (const Rule& rule : rules) {
        policy::NetworkPolicy::Entry entry{
            policy::Authority::organisation, "r" + std::to_string(entries.size()), {}};
        entry.rule.verdict = rule.verdict;
        entry.rule.target.hosts = rule.hosts;
        entries.push_back(std::move(entry));
    }
    return {std::move(entries), policy::Authority::organisation};
}

inline policy::Address address(std::string_view text) {
    return policy::parse_address(text).value();
}

inline std::string two(unsigned number) {
    return {static_cast<char>(number >> 8), static_cast<char>(number & 0xFF)};
}

inline std::string wire_name(std::string_view name) {
    std::string wire;
    while (!name.empty()) {
        const auto label = name.substr(0, name.find('.'));
        wire += static_cast<char>(label.size());
        wire += label;
        name.remove_prefix(std::min(name.size(), label.size() + 1));
    }
    return wire + '\0';
}

inline std::string dns_header(unsigned id, unsigned flags, unsigned questions, unsigned answers = 0,
                              unsigned authorities = 0, unsigned additionals = 0) {
    return two(id) + two(flags) + two(questions) + two(answers) + two(authorities) + two(additionals);
}

constexpr unsigned kA = 1, kPtr = 12, kTxt = 16, kAaaa = 28, kHttps = 65;
constexpr unsigned kAsked = 0x0100;     // RD
constexpr unsigned kAnswered = 0x8180;  // QR, RD, RA

inline std::string dns_query(std::string_view name, unsigned type, unsigned id = 0x1234) {
    return dns_header(id, kAsked, 1) + wire_name(name) + two(type) + two(1);
}

inline DnsQuestion question(std::string_view name, unsigned type) {
    return parse_dns_query(dns_query(name, type)).value();
}

// Answers when the test says so.
class FakeResolver : public Resolver {
  public:
    void resolve(const std::string& name, std::function<void(const Addresses&)> done) override {
        asked.push_back(name);
        waiting.emplace_back(name, std::move(done));
    }
    void answer_all() {
        for (auto& [name, done] : std::exchange(waiting, {})) done(known[name]);
    }
    void knows(const std::string& name, Addresses::State state, std::vector<policy::Address> four = {},
               std::vector<policy::Address> six = {}) {
        known[name] = {state, std::move(four), std::move(six),
                       state == Addresses::State::failed ? "no route" : ""};
    }
    std::vector<std::string> asked;
    std::vector<std::pair<std::string, std::function<void(const Addresses&)>>> waiting;
    std::map<std::string, Addresses> known;
};

}  // namespace reeve::egress
