// The policy that is shipped: what it decides, what of it mounts can do, and that it stays small.
#include <gtest/gtest.h>

#include <fstream>
#include <iterator>

#include "policy/test_file.hpp"
#include "policy/zones.hpp"
#include "tests/unit/policy/engine_support.hpp"

namespace reeve::policy {
namespace {

const std::string kFolder = REEVE_POLICIES;

std::expected<std::string, std::string> contents(const std::string& name) {
    std::ifstream file(name, std::ios::binary);
    if (!file) return std::unexpected("cannot open " + name);
    return std::string(std::istreambuf_iterator<char>(file), {});
}

Policy vendor(std::string_view agent) {
    auto document = parse_document(contents(kFolder + "/vendor.jsonc").value(), "vendor.jsonc");
    if (!document) ADD_FAILURE() << to_string(document.error());
    return compiled({{Authority::vendor, *document}}, agent);
}

TEST(VendorPolicy, DecidesAsItsTestFileSays) {
    const auto folder = kFolder + "/tests/";
    const auto results = run_test_file(contents(folder + "vendor-test.jsonc").value(), "vendor-test.jsonc",
                                       [&](const std::string& name) { return contents(folder + name); });
    ASSERT_TRUE(results) << to_string(results.error());
    EXPECT_GT(results->size(), 100U);
    for (const auto& result : *results) {
        EXPECT_TRUE(result.passed) << "line " << result.at.line << ": " << result.action << " "
                                   << result.resource << " gave " << name_of(result.actual) << " by \""
                                   << result.actual_rule << "\"";
    }
}

TEST(VendorPolicy, NeedsNothingThatMountsCannotGive) {
    for (const char* agent : {"claude-code", "codex", "cowork", "unverified"}) {
        const auto policy = vendor(agent);
        EXPECT_TRUE(policy.warnings().empty()) << to_string(policy.warnings());
        const auto zones = plan_zones(policy);
        for (const auto& each : zones.unenforced) {
            EXPECT_TRUE(each.widens) << each.pattern << ": " << each.reason;
            EXPECT_EQ(each.pattern.find("**/"), 0U) << each.pattern << " could be a mount";
        }
        for (const auto& each : zones.grants) {
            EXPECT_TRUE(!each.writable || each.path.starts_with("/home/alice/")) << each.path;
            EXPECT_NE(each.path, "/home/alice");
            EXPECT_FALSE(each.path.starts_with("/home/alice/.ssh")) << each.path;
        }
        for (const auto& each : plan_zones(policy, {.keeper = true, .veil = true}).unenforced)
            EXPECT_EQ(each.rule, "vendor/project-secrets") << each.pattern << ": only reading is left open";
        EXPECT_EQ(policy.settings().unenforceable, Unenforceable::degrade);
        EXPECT_EQ(policy.settings().mode, Mode::enforce);
    }
}

TEST(VendorPolicy, IsSmall) {
    const auto policy = vendor("claude-code");
    EXPECT_LT(policy.table_bytes().size(), 200'000U);
    EXPECT_LT(policy.table().states(), 6'000U);
}

// What floats must not be repeated for each of the organisation's trees.
TEST(VendorPolicy, GrowsWithWhatIsAddedToIt) {
    std::string files;
    for (int i = 0; i < 2000; ++i) {
        const auto n = std::to_string(i);
        files += (i == 0 ? "" : ",") + (R"({"allow": ["read"], "paths": ["/srv/share-)" + n + "/**\"]}");
    }
    auto document = parse_document(contents(kFolder + "/vendor.jsonc").value(), "vendor.jsonc");
    const auto policy = compiled(
        {{Authority::vendor, *document},
         layer(Authority::organisation, "acme", R"("extends": ["vendor"], "files": [)" + files + "]")});
    EXPECT_LT(policy.table().states(), 20'000U);
    EXPECT_EQ(policy.decide("/srv/share-1999/x", FileAction::read).verdict, Verdict::allow);
    EXPECT_EQ(policy.decide("/srv/share-1999/.env", FileAction::read).rule, "vendor/project-secrets");
}

TEST(VendorPolicy, KnowsItsAgents) {
    const auto document = parse_document(contents(kFolder + "/vendor.jsonc").value(), "vendor.jsonc");
    const std::vector<Layer> layers{{Authority::vendor, *document}};
    EXPECT_EQ(agents_of(layers, kAlice, "/usr/lib/node_modules/@anthropic-ai/claude-code/cli.js"),
              std::vector<std::string>{"claude-code"});
    EXPECT_EQ(agents_of(layers, kAlice,
                        "/home/alice/.nvm/versions/node/v22.1.0/lib/node_modules/@openai/codex/bin/codex.js"),
              std::vector<std::string>{"codex"});
    EXPECT_EQ(agents_of(layers, kAlice, "/opt/cowork/bin/cowork"), std::vector<std::string>{"cowork"});
    EXPECT_TRUE(agents_of(layers, kAlice, "/usr/bin/bash").empty());
    EXPECT_TRUE(check_workspace(layers, kAlice, "claude-code", "/home/alice/x"));
    EXPECT_FALSE(check_workspace(layers, kAlice, "claude-code", "/srv/x"));
    EXPECT_TRUE(check_workspace(layers, kAlice, kUnverified, "/srv/x"));
}

}  // namespace
}  // namespace reeve::policy
