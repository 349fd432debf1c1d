// The table's bytes: what is refused, what is harmless, and what same_below() says.
#include "policy/table.hpp"

#include <gtest/gtest.h>

#include <cstring>
#include <map>

#include "tests/unit/policy/engine_support.hpp"

namespace reeve::policy {
namespace {

// Bytes at an aligned place, free to be damaged.
class Bytes {
  public:
    explicit Bytes(std::span<const std::byte> bytes) : words_(bytes.size() / 8 + 2), size_(bytes.size()) {
        std::memcpy(words_.data(), bytes.data(), bytes.size());
    }
    std::byte* data() { return reinterpret_cast<std::byte*>(words_.data()); }
    std::span<const std::byte> span() { return {data(), size_}; }
    std::size_t size() const { return size_; }

  private:
    std::vector<std::uint64_t> words_;
    std::size_t size_;
};

Policy small_policy() {
    return compiled(
        {layer(Authority::vendor, "vendor", R"("version": 3, "files": [
                        {"allow": ["read", "execute"], "paths": ["/usr/**"], "log": ["executions"]},
                        {"allow": ["read", "write"], "paths": ["${workspace}/**"]},
                        {"ask": ["read"], "paths": ["${home}/{a,b,c,d,e,f,g,h,i,j}*"], "reason": "why", "label": "l"},
                        {"deny": ["write"], "paths": ["**/.git/hooks/**"], "except": ["**/.git/hooks/*.sample"], "hidden": true},
                        {"deny": ["read"], "paths": ["${home}/.aws/credentials"], "canary": true}])"),
         layer(Authority::user, "mine", R"("files": [{"deny": ["read"], "paths": ["**/.env"]}])")});
}

void use(const Table& table) {
    for (const char* path :
         {"/", "/usr/bin/ls", "/home/alice/work/.git/hooks/x", "/home/alice/a", "/x/.env", "relative"}) {
        for (const auto action : kEveryAction) {
            const auto decision = table.decide(path, action);
            (void)(decision.rule.size() + decision.reason.size() + decision.label.size());
            for (const char c : decision.rule) (void)c;
            (void)table.explain(path, action);
        }
        (void)table.same_below(path, "/usr");
    }
    (void)std::string(table.policy_id());
    (void)table.mode();
}

TEST(Table, EveryFlippedByteIsRefusedOrHarmless) {
    const auto policy = small_policy();
    Bytes bytes(policy.table_bytes());
    ASSERT_TRUE(Table::open(bytes.span()));
    std::size_t refused = 0;
    for (std::size_t i = 0; i < bytes.size(); ++i) {
        for (const unsigned flip : {0x01U, 0x80U, 0xFFU}) {
            bytes.data()[i] ^= static_cast<std::byte>(flip);
            if (const auto table = Table::open(bytes.span())) {
                use(*table);
            } else {
                ++refused;
                EXPECT_EQ(table.error().find("not a policy table: "), 0U);
            }
            bytes.data()[i] ^= static_cast<std::byte>(flip);
        }
    }
    EXPECT_GT(refused, bytes.size());
    EXPECT_TRUE(Table::open(bytes.span()));
}

TEST(Table, EveryCutIsRefused) {
    const auto policy = small_policy();
    Bytes bytes(policy.table_bytes());
    for (std::size_t size = 0; size < bytes.size(); ++size) {
        ASSERT_FALSE(Table::open(bytes.span().first(size))) << size;
    }
    EXPECT_FALSE(Table::open(bytes.span().subspan(4))) << "not aligned";
    EXPECT_FALSE(Table::open({}));
}

// A decision that does not follow from the rules beside it is no table of a compiler's.
TEST(Table, AnOutcomeThatContradictsItsRulesIsRefused) {
    const auto policy = compiled_files(R"({"deny": ["read"], "paths": ["/a/**"]})");
    Bytes bytes(policy.table_bytes());
    std::size_t changed = 0;
    for (std::size_t i = 0; i + 4 <= bytes.size(); i += 4) {
        std::uint32_t word = 0;
        std::memcpy(&word, bytes.data() + i, 4);
        if (word != 0xFFFFFFFF) continue;  // "no rule decides"
        const std::uint32_t zero = 0;
        std::memcpy(bytes.data() + i, &zero, 4);
        EXPECT_FALSE(Table::open(bytes.span())) << i;
        std::memcpy(bytes.data() + i, &word, 4);
        ++changed;
    }
    EXPECT_GT(changed, kFileActions);
}

TEST(Table, PathsThatAreNotResolvedAreDenied) {
    const auto policy = compiled_files(R"({"allow": ["read"], "paths": ["/**"]})");
    for (const std::string& path :
         {std::string(), std::string("a"), std::string("//"), std::string("/a//b"), std::string("/a/"),
          std::string("/./a"), std::string("/a/."), std::string("/a/../b"), std::string("/.."),
          std::string("/a\0b", 4), std::string("a/b")}) {
        EXPECT_FALSE(is_resolved(path)) << path;
        const auto decision = policy.decide(path, FileAction::read);
        EXPECT_EQ(decision.verdict, Verdict::deny) << path;
        EXPECT_EQ(decision.decided_by, DecidedBy::default_) << path;
        EXPECT_FALSE(policy.table().same_below(path, path)) << path;
        EXPECT_TRUE(policy.explain(path, FileAction::read).layers[0].rules.empty());
    }
    for (const char* path : {"/", "/a", "/.a", "/...", "/a/..b", "/\xFF\x01"}) {
        EXPECT_TRUE(is_resolved(path)) << path;
        EXPECT_EQ(policy.decide(path, FileAction::read).verdict, Verdict::allow) << path;
    }
    const std::string long_path = "/" + std::string(100'000, 'a');
    EXPECT_EQ(policy.decide(long_path, FileAction::read).verdict, Verdict::allow);
}

TEST(Table, KnowsItsPolicy) {
    const auto policy = small_policy();
    EXPECT_EQ(policy.policy_id(), "vendor@3");
    EXPECT_GT(policy.table().states(), 10U);
}

TEST(Table, SameBelowForDirectoriesThatRulesTreatAlike) {
    const auto policy = small_policy();
    const auto same = [&](const char* a, const char* b) { return policy.table().same_below(a, b); };
    EXPECT_TRUE(same("/home/alice/work/a", "/home/alice/work/b/c"));
    EXPECT_TRUE(same("/home/alice/work/.gi", "/home/alice/work/b")) << "half a name is no matter";
    EXPECT_TRUE(same("/usr/lib", "/usr"));
    EXPECT_FALSE(same("/home/alice/work/.git", "/home/alice/work/b")) << "hooks are below";
    EXPECT_FALSE(same("/home/alice/work/a", "/usr"));
    EXPECT_FALSE(same("/home/alice", "/usr")) << "the workspace is below";
    EXPECT_TRUE(same("/srv", "/var/lib"));
    EXPECT_TRUE(same("/", "/"));
    EXPECT_FALSE(same("/", "/usr"));
}

// What same_below() promises, tried on what is below; and what it refuses must have a reason.
TEST(Table, SameBelowKeepsItsPromise) {
    Dice dice(21);
    int same = 0, differ = 0;
    for (int round = 0; round < 80; ++round) {
        const auto policy = compiled(dice.layers());
        std::vector<std::string> tails{""};
        for (int i = 0; i < 150; ++i) {
            const auto path = dice.path();
            if (path != "/") tails.push_back(path);
        }
        for (int i = 0; i < 12; ++i) {
            const auto a = dice.path(), b = dice.path();
            if (a == "/" || b == "/") continue;
            bool alike = true;
            for (const auto& tail : tails) {
                for (const auto action : kEveryAction) {
                    alike = alike && policy.decide(a + tail, action).verdict ==
                                         policy.decide(b + tail, action).verdict;
                }
            }
            const bool said = policy.table().same_below(a, b);
            if (said) {
                ASSERT_TRUE(alike) << "round " << round << ": " << a << " and " << b;
            }
            ++(said ? same : differ);
        }
    }
    EXPECT_GT(same, 50);
    EXPECT_GT(differ, 50);
}

// Rules that decide may differ where verdicts do not.
TEST(Table, SameBelowIsAboutVerdicts) {
    const auto policy =
        compiled_files(R"({"allow": ["read"], "paths": ["/a/**"]}, {"allow": ["read"], "paths": ["/b/**"]},
                                          {"deny": ["read"], "paths": ["/c/**"]})");
    EXPECT_TRUE(policy.table().same_below("/a", "/b"));
    EXPECT_TRUE(policy.table().same_below("/c", "/nothing")) << "denied either way";
    EXPECT_FALSE(policy.table().same_below("/a", "/c"));
    EXPECT_NE(policy.decide("/a", FileAction::read).rule, policy.decide("/b", FileAction::read).rule);
}

}  // namespace
}  // namespace reeve::policy
