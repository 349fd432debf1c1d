// Decisions about hosts and addresses.
#include "policy/network.hpp"

#include <gmock/gmock.h>

#include <algorithm>

#include "tests/unit/policy/parse.hpp"

namespace reeve::policy {
namespace {

using Entries = std::vector<NetworkPolicy::Entry>;

// The rules of a document as one layer; ids are those that rules without an id get.
Entries layer(std::string_view rules, Authority authority = Authority::organisation) {
    Entries entries;
    const auto document = parsed_with("\"network\": [" + std::string(rules) + "]");
    for (const auto& rule : document.network) {
        const auto id =
            std::string(authority == Authority::organisation ? "o/" : "l/") + std::to_string(entries.size());
        entries.push_back({authority, rule.id.empty() ? id : rule.id, rule});
    }
    return entries;
}
NetworkPolicy policy(std::string_view rules) {
    return {layer(rules), Authority::organisation};
}

std::string show(const NetworkDecision& decision) {
    return std::string(name_of(decision.verdict)) + (decision.by_rule ? " " + decision.rule : "");
}
std::string at(const NetworkPolicy& policy, std::string_view host, std::string_view address,
               std::uint16_t port = 443, const std::vector<Address>& own = {}) {
    return show(policy.decide_address(host, port, parse_address(address).value(), own));
}

TEST(HostMatches, CountsLabels) {
    EXPECT_TRUE(host_matches("pypi.org", "PyPI.org."));
    EXPECT_TRUE(host_matches("PyPI.org.", "pypi.org"));
    EXPECT_FALSE(host_matches("pypi.org", "xpypi.org"));
    EXPECT_FALSE(host_matches("pypi.org", "a.pypi.org"));
    EXPECT_FALSE(host_matches("pypi.org", "pypi.org.evil.example"));
    EXPECT_TRUE(host_matches("*.pypi.org", "files.pypi.org"));
    EXPECT_FALSE(host_matches("*.pypi.org", "pypi.org"));
    EXPECT_FALSE(host_matches("*.pypi.org", "a.b.pypi.org"));
    EXPECT_TRUE(host_matches("**.pypi.org", "pypi.org"));
    EXPECT_TRUE(host_matches("**.pypi.org", "a.b.pypi.org"));
    EXPECT_FALSE(host_matches("**.pypi.org", "apypi.org"));
    EXPECT_TRUE(host_matches("**", "anything.at.all"));
    EXPECT_TRUE(host_matches("**", "localhost"));
    EXPECT_TRUE(host_matches("a.**", "a"));
    EXPECT_TRUE(host_matches("a.**.z", "a.b.c.z"));
    EXPECT_TRUE(host_matches("a.**.b.*.z", "a.b.b.b.x.z"));
    EXPECT_FALSE(host_matches("a.**.b.*.z", "a.b.b.x.y.z"));
    EXPECT_FALSE(host_matches("*", "a.b"));
    EXPECT_FALSE(host_matches("a", ""));
    EXPECT_FALSE(host_matches("", "a"));
}

TEST(HostMatches, IsQuickOnManyStars) {
    std::string pattern, host;
    for (int i = 0; i < 60; ++i) pattern += "**.a.";
    for (int i = 0; i < 120; ++i) host += "a.";
    EXPECT_FALSE(host_matches(pattern + "b", host + "c"));
}

TEST(Network, WhatNoRuleAllowsIsDenied) {
    const auto none = NetworkPolicy({}, Authority::vendor).decide_host("example.com", 443);
    EXPECT_EQ(none.verdict, Verdict::deny);
    EXPECT_FALSE(none.by_rule);
    EXPECT_EQ(none.reason, "no rule allows it");
    EXPECT_EQ(show(NetworkPolicy().decide_host("example.com", 443)), "deny");
    const auto some = policy(R"({"allow": {"hosts": ["a.example"], "ports": [443, "8000-8001"]}})");
    EXPECT_EQ(show(some.decide_host("a.example", 443)), "allow o/0");
    EXPECT_EQ(show(some.decide_host("A.Example.", 8001)), "allow o/0");
    EXPECT_EQ(show(some.decide_host("a.example", 8002)), "deny");
    EXPECT_EQ(show(some.decide_host("b.example", 443)), "deny");
}

TEST(Network, TheStrictestWinsInAnyOrder) {
    const auto rules =
        layer(R"({"allow": {"hosts": ["a.example"]}}, {"ask": {"hosts": ["**"], "except": ["b.example"]}},
                                {"allow": {"hosts": ["b.example"]}}, {"deny": {"hosts": ["*.bad"]}},
                                {"allow": {"hosts": ["b.example"]}, "id": "a-first"}, {"allow": {"hosts": ["c.bad"]}})");
    Entries entries = rules;
    std::ranges::sort(entries, {}, [](const auto& entry) { return entry.id; });
    do {
        const NetworkPolicy shuffled(entries, Authority::organisation);
        ASSERT_EQ(show(shuffled.decide_host("a.example", 443)), "ask o/1");
        ASSERT_EQ(show(shuffled.decide_host("b.example", 443)), "allow a-first");
        ASSERT_EQ(show(shuffled.decide_host("c.bad", 443)), "deny o/3");
    } while (std::ranges::next_permutation(entries, {}, [](const auto& entry) { return entry.id; }).found);
}

TEST(Network, LayersAreDecidedAloneAndTheStrictestWins) {
    Entries entries = layer(
        R"({"allow": {"hosts": ["**"]}, "id": "o-all"}, {"ask": {"hosts": ["ask.example"]}, "id": "o-ask"})");
    const auto user = layer(
        R"({"deny": {"hosts": ["no.example"]}, "id": "u-no"}, {"allow": {"hosts": ["ask.example"]}, "id": "u-ask"},
                               {"ask": {"hosts": ["maybe.example"]}, "id": "u-maybe"})",
        Authority::user);
    entries.insert(entries.end(), user.begin(), user.end());
    const NetworkPolicy both(entries, Authority::organisation);
    EXPECT_EQ(show(both.decide_host("other.example", 1)), "allow o-all");
    EXPECT_EQ(show(both.decide_host("no.example", 1)), "deny u-no");
    EXPECT_EQ(show(both.decide_host("maybe.example", 1)), "ask u-maybe");
    // A layer below cannot widen.
    EXPECT_EQ(show(both.decide_host("ask.example", 1)), "ask o-ask");
    const NetworkPolicy only_user(user, Authority::vendor);
    EXPECT_EQ(show(only_user.decide_host("ask.example", 1)), "deny");
    EXPECT_EQ(show(only_user.decide_host("no.example", 1)), "deny u-no");
}

TEST(Network, WithoutAddressesPublicIsMeant) {
    const auto open = policy(R"({"allow": {"hosts": ["**"]}})");
    EXPECT_EQ(at(open, "x.example", "93.184.216.34"), "allow o/0");
    EXPECT_EQ(at(open, "x.example", "2606:2800:220:1::1"), "allow o/0");
    for (const auto* inside : {"10.0.0.1", "192.168.1.1", "127.0.0.1", "169.254.169.254", "0.0.0.0", "::1",
                               "fe80::1", "fd00::1", "::ffff:10.0.0.1", "64:ff9b::a00:1", "2002:a00:1::",
                               "::10.0.0.1", "224.0.0.1", "168.63.129.16", "64:ff9b:1::1", "ff02::1"}) {
        EXPECT_EQ(at(open, "rebind.example", inside), "deny") << inside;
    }
    const auto own = std::vector{parse_address("93.184.216.34").value()};
    EXPECT_EQ(at(open, "me.example", "93.184.216.34", 443, own), "deny");
    EXPECT_EQ(at(open, "me.example", "64:ff9b::5db8:d822", 443, own), "deny");
    const auto to_own = policy(R"({"allow": {"addresses": ["own"], "ports": [5432]}})");
    EXPECT_EQ(at(to_own, "me.example", "93.184.216.34", 5432, own), "allow o/0");
    EXPECT_EQ(at(to_own, "me.example", "93.184.216.34", 5432), "deny");
}

TEST(Network, AddressesOfRules) {
    const auto inner =
        policy(R"({"allow": {"hosts": ["**.acme.example"], "addresses": ["private", "public"]}},
                                 {"deny": {"addresses": ["10.9.0.0/16", "metadata"]}, "reason": "vault"})");
    // Before the name is resolved, rules about addresses do not deny.
    EXPECT_EQ(show(inner.decide_host("db.acme.example", 5432)), "allow o/0");
    EXPECT_EQ(at(inner, "db.acme.example", "10.8.0.1"), "allow o/0");
    EXPECT_EQ(at(inner, "db.acme.example", "10.9.0.1"), "deny o/1");
    EXPECT_EQ(at(inner, "db.acme.example", "::ffff:10.9.0.1"), "deny o/1");
    EXPECT_EQ(at(inner, "db.acme.example", "64:ff9b::a09:1"), "deny o/1");
    EXPECT_EQ(at(inner, "db.acme.example", "2002:a09:1::5"), "deny o/1");
    EXPECT_EQ(at(inner, "db.acme.example", "169.254.169.254"), "deny o/1");
    EXPECT_EQ(at(inner, "db.acme.example", "127.0.0.1"), "deny");
    EXPECT_EQ(inner.decide_address("db.acme.example", 1, parse_address("10.9.0.1").value(), {}).reason,
              "vault");
}

TEST(Network, WideIpv6NetworksDoNotAllowIpv4InDisguise) {
    const auto all = policy(R"({"allow": {"addresses": ["::/0"]}})");
    EXPECT_EQ(at(all, "x.example", "2606::1"), "allow o/0");
    for (const auto* four : {"2002:7f00:1::", "::ffff:127.0.0.1", "::127.0.0.1", "64:ff9b::7f00:1"}) {
        EXPECT_EQ(at(all, "x.example", four), "deny") << four;
    }
    EXPECT_EQ(at(policy(R"({"allow": {"addresses": ["0.0.0.0/0"]}})"), "x.example", "2002:5db8:d822::"),
              "allow o/0");
    const auto six = policy(R"({"allow": {"addresses": ["2002:a00::/24"]}})");
    EXPECT_EQ(at(six, "x.example", "2002:a00:1::"), "allow o/0");
    const auto deny = policy(R"({"allow": {"hosts": ["**"]}}, {"deny": {"addresses": ["2000::/3"]}})");
    EXPECT_EQ(at(deny, "x.example", "2002:5db8:d822::"), "deny o/1");
    EXPECT_EQ(at(deny, "x.example", "93.184.216.34"), "allow o/0");
}

TEST(Network, AddressLiteralsAreDecidedWhole) {
    const auto open = policy(R"({"allow": {"hosts": ["**"]}}, {"deny": {"addresses": ["private"]}})");
    EXPECT_EQ(show(open.decide_host("93.184.216.34", 80)), "allow o/0");
    EXPECT_EQ(show(open.decide_host("10.0.0.1", 80)), "deny o/1");
    EXPECT_EQ(show(open.decide_host("::ffff:10.0.0.1", 80)), "deny o/1");
    EXPECT_EQ(show(open.decide_host("127.0.0.1", 80)), "deny");
    // The literal is what must be dialled.
    EXPECT_EQ(at(open, "93.184.216.34", "93.184.216.34"), "allow o/0");
    EXPECT_EQ(at(open, "93.184.216.34", "93.184.216.35"), "deny");
    // Patterns of names are not about addresses, even where they have as many dots.
    const auto names = policy(R"({"allow": {"hosts": ["*", "*.*.*.*", "**.*"]}})");
    EXPECT_EQ(show(names.decide_host("93.184.216.34", 80)), "deny");
    EXPECT_EQ(show(names.decide_host("2606::1", 80)), "deny");
    EXPECT_EQ(show(policy(R"({"ask": {"ports": [80]}})").decide_host("93.184.216.34", 80)), "ask o/0");
}

TEST(Network, WhatIsNoHostIsDenied) {
    const auto open = policy(R"({"allow": {"hosts": ["**"]}})");
    for (const std::string host :
         {"", ".", "..", "a..b", ".a", "a b", "ä.example", "a/b", "[::1]", "a:80", "fe80::1%eth0"}) {
        const auto decision = open.decide_host(host, 80);
        EXPECT_EQ(show(decision), "deny") << host;
        EXPECT_EQ(decision.reason, "this is not the name of a host") << host;
    }
    EXPECT_EQ(show(open.decide_host(std::string("a\0.example", 10), 80)), "deny");
    EXPECT_EQ(show(open.decide_host(std::string(64, 'a') + ".example", 80)), "deny");
    EXPECT_EQ(show(open.decide_host("_dns.xn--bcher-kva.example", 80)), "allow o/0");
    // Loose forms of 127.0.0.1 are names until they are resolved, and then the address decides.
    EXPECT_EQ(at(open, "127.1", "127.0.0.1"), "deny");
    EXPECT_EQ(at(open, "0x7f000001", "127.0.0.1"), "deny");
}

TEST(NetworkDocument, FaultsAreNamed) {
    const std::pair<std::string_view, std::string_view> kBroken[] = {
        {R"("deny": ["x"])", "expected a network target in { }, found a list"},
        {R"("deny": {})", "this names no hosts, ports or addresses"},
        {R"("deny": {"hosts": []})", "\"hosts\" is empty"},
        {R"("deny": {"hosts": "x"})", "expected a list in [ ]"},
        {R"("deny": {"hosts": ["bücher.example"]})", "write its punycode form"},
        {R"("deny": {"hosts": ["10.0.0.1"]})", "this is an address, not a name; put it under \"addresses\""},
        {R"("deny": {"hosts": ["[::1]"]})", "this is an address"},
        {R"("deny": {"hosts": ["10.0.0"]})", "a name does not end in a number"},
        {R"("deny": {"hosts": ["https://x.example"]})", "a host is a name alone"},
        {R"("deny": {"hosts": ["x.example:443"]})", "a host is a name alone"},
        {R"("deny": {"hosts": ["api-*.example"]})", "a star stands for whole labels only"},
        {R"("deny": {"hosts": ["a..b"]})", "two dots in a row"},
        {R"("deny": {"hosts": [".b"]})", "two dots in a row, or one at the start"},
        {R"("deny": {"hosts": [""]})", "an empty name"},
        {R"("deny": {"hosts": ["a b"]})", "\"a b\" cannot stand in a host name"},
        {R"("deny": {"ports": [0]})", "expected a port from 1 to 65535"},
        {R"("deny": {"ports": [65536]})", "expected a port from 1 to 65535"},
        {R"("deny": {"ports": [4.5]})", "expected a port"},
        {R"("deny": {"ports": ["443"]})", "\"443\" is a port in quotes; write it as a number: 443"},
        {R"("deny": {"ports": ["90-80"]})", "ends before it starts"},
        {R"("deny": {"ports": ["80-"]})", "expected a port"},
        {R"("deny": {"ports": ["http"]})", "expected a port"},
        {R"("deny": {"ports": [null]})", "found null"},
        {R"("deny": {"addresses": ["privat"]})", "\"privat\" is no address; did you mean \"private\"?"},
        {R"("deny": {"addresses": ["10.0.0.1/8"]})", "has bits behind its prefix; write \"10.0.0.0/8\""},
        {R"("deny": {"addresses": ["10.0.0.0/33"]})", "has no prefix length; write 0 to 32"},
        {R"("deny": {"addresses": ["10.0.0.0/08"]})", "has no prefix length"},
        {R"("deny": {"addresses": ["10.0.0.0/"]})", "has no prefix length"},
        {R"("deny": {"addresses": ["2001:db8::1/32"]})", "has bits behind its prefix"},
        {R"("deny": {"addresses": ["010.0.0.0/8"]})", "is no address"},
        {R"("deny": {"hosts": ["**"]}, "ask": {"hosts": ["**"]})", "this rule has both \"ask\" and \"deny\""},
        {R"("denny": {"hosts": ["**"]})", "did you mean \"deny\"?"},
    };
    for (const auto& [rule, message] : kBroken) {
        EXPECT_THAT(faults_with("\"network\": [{" + std::string(rule) + "}]"), testing::HasSubstr(message))
            << rule;
    }
    EXPECT_THAT(faults_with(R"("dlp": [{"allow": {"hosts": ["**"]}}])"),
                testing::HasSubstr("it needs one of \"ask\", \"deny\""));
    EXPECT_THAT(faults_with(R"("dlp": [{"when": {}, "deny": {"hosts": ["**"]}}])"),
                testing::HasSubstr("a dlp condition needs the key \"labels\""));
    EXPECT_THAT(faults_with(R"("dlp": [{"deny": {}}])"), testing::HasSubstr("this names no hosts"));
}

TEST(NetworkDocument, WarnsOfAllowsWithoutEffect) {
    const auto warnings = [](std::string_view rules) {
        return to_string(parsed_with("\n\"network\": [" + std::string(rules) + "]").warnings);
    };
    EXPECT_EQ(warnings(R"({"allow": {"hosts": ["api.anthropic.com", "*.pypi.org"], "ports": [443]}},
                          {"ask": {"hosts": ["**"], "ports": [80, 443]}})"),
              "test.jsonc:2:13: warning: this \"allow\" has no effect: the \"ask\" in line 3 covers it, and "
              "the stricter "
              "rule wins; give that rule \"except\": [\"api.anthropic.com\", \"*.pypi.org\"]");
    EXPECT_NE(warnings(R"({"allow": {"ports": [443]}}, {"deny": {"ports": ["1-1024"]}})"), "");
    EXPECT_NE(
        warnings(
            R"({"allow": {"hosts": ["a.b"]}, "agents": ["x"]}, {"deny": {"hosts": ["**"]}, "agents": ["x", "y"]})"),
        "");
    for (const auto* fine : {
             R"({"allow": {"hosts": ["a.b"]}}, {"ask": {"hosts": ["**"], "except": ["*.b"]}})",
             R"({"allow": {"hosts": ["*.b"]}}, {"ask": {"hosts": ["**"], "except": ["*.b"]}})",
             R"({"allow": {"hosts": ["a.b"], "ports": [22]}}, {"ask": {"hosts": ["**"], "ports": [443]}})",
             R"({"allow": {"hosts": ["a.b"]}}, {"ask": {"hosts": ["**"], "ports": [443]}})",
             R"({"allow": {"hosts": ["a.b"], "addresses": ["private"]}}, {"ask": {"hosts": ["**"]}})",
             R"({"allow": {"hosts": ["a.b"]}}, {"deny": {"addresses": ["private"]}})",
             R"({"allow": {"hosts": ["a.b"]}}, {"deny": {"hosts": ["**"]}, "agents": ["x"]})",
             R"({"allow": {"hosts": ["a.b"]}}, {"deny": {"hosts": ["*.c"]}})",
         }) {
        EXPECT_EQ(warnings(fine), "") << fine;
    }
}

TEST(Verify, TheStrictestOfTheRulesThatMatch) {
    const auto both = policy(R"({"allow": {"hosts": ["**.example"]}}, )"
                             R"({"allow": {"hosts": ["git.example"], "ports": [22]}, "verify": "address"})");
    EXPECT_EQ(both.decide_host("git.example", 22).verify, Verify::name);
    const auto apart = policy(R"({"allow": {"hosts": ["**.example"], "except": ["git.example"]}}, )"
                              R"({"allow": {"hosts": ["git.example"], "ports": [22]}, "verify": "address"})");
    EXPECT_EQ(apart.decide_host("git.example", 22).verify, Verify::address);
    auto entries = layer(R"({"id": "a", "allow": {"hosts": ["**"]}, "verify": "address"})");
    for (auto& entry :
         layer(R"({"id": "b", "allow": {"hosts": ["**"]}, "verify": "tls"})", Authority::device))
        entries.push_back(entry);
    EXPECT_EQ(NetworkPolicy(entries, Authority::organisation).decide_host("x.example", 443).verify,
              Verify::tls);
}

TEST(Verify, IsAboutWhatIsLetThrough) {
    const auto document = parse_document(
        R"({"schema": "reeve.policy/1", "id": "x", "version": 1, "network": [{"deny": {"hosts": ["a"]}, "verify": "tls"}]})",
        "x");
    ASSERT_FALSE(document);
    EXPECT_THAT(to_string(document.error()), testing::HasSubstr("verify"));
}

TEST(DecideName, TheMildestOfAllPorts) {
    const auto rules = policy(
        R"({"allow": {"hosts": ["a.example"], "ports": [8443]}}, )"
        R"({"ask": {"hosts": ["b.example"], "ports": ["1000-2000"]}}, )"
        R"({"deny": {"hosts": ["c.example"]}}, {"allow": {"hosts": ["c.example"], "ports": [443]}}, )"
        R"({"allow": {"hosts": ["d.example"]}}, {"deny": {"hosts": ["d.example"], "ports": ["1-1000"]}})");
    EXPECT_EQ(rules.decide_name("a.example").verdict, Verdict::allow);
    EXPECT_EQ(rules.decide_name("b.example").verdict, Verdict::ask);
    EXPECT_EQ(rules.decide_name("c.example").verdict, Verdict::deny);
    EXPECT_EQ(rules.decide_name("d.example").verdict, Verdict::allow);
    EXPECT_EQ(rules.decide_name("other.example").verdict, Verdict::deny);
    EXPECT_EQ(rules.decide_name("not a name").verdict, Verdict::deny);
}

TEST(NetworkPolicyBytes, AreTheSamePolicy) {
    const auto rules = policy(
        R"({"allow": {"hosts": ["*.a.example"], "except": ["x.a.example"], "ports": [443, "8000-8100"]}, "verify": "tls"}, )"
        R"({"allow": {"hosts": ["inside.example"], "addresses": ["own", "10.0.0.0/8"]}}, )"
        R"({"deny": {"addresses": ["metadata"]}, "reason": "keys of the cloud"})");
    const auto again = NetworkPolicy::decode(rules.encode());
    ASSERT_TRUE(again);
    EXPECT_EQ(again->encode(), rules.encode());
    EXPECT_EQ(at(*again, "b.a.example", "93.184.216.34", 8050),
              at(rules, "b.a.example", "93.184.216.34", 8050));
    EXPECT_EQ(again->decide_host("b.a.example", 443).verify, Verify::tls);
    EXPECT_EQ(again->decide_host("169.254.169.254", 80).reason, "keys of the cloud");
    const std::string bytes = rules.encode();
    for (std::size_t size = 0; size < bytes.size(); ++size)
        EXPECT_FALSE(NetworkPolicy::decode(bytes.substr(0, size))) << size;
    EXPECT_FALSE(NetworkPolicy::decode("anything"));
}

}  // namespace
}  // namespace reeve::policy
