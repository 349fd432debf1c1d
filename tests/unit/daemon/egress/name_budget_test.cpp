#include "daemon/egress/name_budget.hpp"

#include "tests/unit/daemon/egress/support.hpp"

namespace reeve::egress {
namespace {

using policy::Verdict;

TEST(SpelledOut, IsWhatARuleNames) {
    const auto policy =
        policy_of({{Verdict::allow, {"api.example.com", "**.example.com", "*.a.example.com", "x.*.org"}},
                   {Verdict::ask, {"asked.example"}},
                   {Verdict::deny, {"bad.example"}}});
    const std::pair<const char*, std::size_t> cases[] = {
        {"api.example.com", 15}, {"example.com", 11},     {"w.example.com", 12},
        {"v.w.example.com", 12}, {"w.a.example.com", 14}, {"x.y.org", 4},
        {"asked.example", 13},   {"bad.example", 0},      {"elsewhere", 0}};
    for (const auto& [host, bytes] : cases) EXPECT_EQ(policy.spelled_out(host), bytes) << host;
    EXPECT_EQ(policy_of({{Verdict::allow, {"**"}}}).spelled_out("a.example"), 0U);
    EXPECT_EQ(policy_of({{Verdict::allow, {}}}).spelled_out("a.example"), 0U);
}

TEST(NameBudget, LongAndRandomLabelsCostMore) {
    const std::pair<const char*, std::size_t> cases[] = {{"", 0},
                                                         {"www", 3},
                                                         {"a.b", 2},
                                                         {"prometheus-metrics", 18},
                                                         {"ec2-eu-central-1", 16},
                                                         {"aaaaaaaaaaaaaaaaaaaaaaaa", 24},
                                                         {"aaaaaaaaaaaaaaaaaaaaaaaaa", 4 * 25},
                                                         {"mzxw6ytboi5dgnrs", 4 * 16},  // base32
                                                         {"9f86d081884c7d65", 4 * 16},  // hexadecimal
                                                         {"x.mzxw6ytboi5dgnrs", 1 + 4 * 16}};
    for (const auto& [label, cost] : cases) EXPECT_EQ(NameBudget::cost_of(label), cost) << label;
}

TEST(NameBudget, IsOfADomainAndOfDistinctNames) {
    const auto policy =
        policy_of({{Verdict::allow, {"**.example.com", "literal.long.name.example.com", "*.other.org"}}});
    NameBudget budget(policy, 10);
    EXPECT_TRUE(budget.admit("aaaa.example.com"));
    EXPECT_TRUE(budget.admit("aaaa.example.com"));  // known: free
    EXPECT_TRUE(budget.admit("b.cccc.example.com"));
    EXPECT_FALSE(budget.admit("dd.example.com"));  // 4 + 5 + 2
    EXPECT_TRUE(budget.admit("e.example.com"));
    EXPECT_FALSE(budget.admit("f.example.com"));
    EXPECT_TRUE(budget.admit("aaaa.example.com"));
    EXPECT_TRUE(budget.admit("literal.long.name.example.com"));  // spelled out: free
    EXPECT_TRUE(budget.admit("example.com"));
    EXPECT_TRUE(budget.admit("f.other.org"));  // another's
}

TEST(NameBudget, ATunnelEnds) {
    const auto policy = policy_of({{Verdict::allow, {"**"}}});
    NameBudget budget(policy);
    std::size_t names = 0;
    while (budget.admit("mzxw6ytboi5dgnrs" + std::to_string(100 + names) + ".evil.example")) ++names;
    EXPECT_EQ(names, kUnitsPerDomain / (4 * 19 + 4 + 7));
}

}  // namespace
}  // namespace reeve::egress
