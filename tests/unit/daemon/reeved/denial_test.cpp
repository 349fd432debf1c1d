// What those are told who ask why something did not work.
#include "daemon/reeved/denial.hpp"

#include <gtest/gtest.h>

#include "policy/document.hpp"

namespace reeve::daemon {
namespace {

using audit::Action;
using audit::Decision;

policy::Policy compiled() {
    constexpr std::string_view kText =
        R"({"schema": "reeve.policy/1", "id": "vendor", "version": 1, "files": [
  {"id": "vendor/agent-settings", "deny": ["write"], "paths": ["**/.mcp.json"], "reason": "runs later"},
  {"ask": ["read"], "paths": ["/home/alice/Documents/**"]}]})";
    auto document = policy::parse_document(kText, "vendor.jsonc").value();
    std::vector<policy::Layer> layers;
    layers.push_back({policy::Authority::vendor, std::move(document)});
    return policy::compile(layers, {.home = "/home/alice"}, policy::kUnverified).value();
}

TEST(Denial, NamesTheRuleItsReasonAndWhereItStands) {
    const auto json = denial_json({.number = 7,
                                   .realtime_ns = 1'795'460'531'483'920'000,
                                   .action = Action::kFileRename,
                                   .resource = "/w/x",
                                   .target = "/w/.mcp.json",
                                   .rule = "vendor/agent-settings",
                                   .count = 2},
                                  compiled());
    EXPECT_EQ(json, api::Json::parse(
                        R"({"number": 7, "time": "2026-11-23T19:02:11.483920Z", "action": "file.rename",
        "resource": "/w/x", "target": "/w/.mcp.json", "decision": "deny", "rule": "vendor/agent-settings",
        "reason": "runs later", "where": "vendor.jsonc:2", "count": 2,
        "todo": "work without it; whoever writes the policy can except it from vendor/agent-settings"})"));
}

TEST(Denial, WithoutARuleOrWithAQuestionSaysSo) {
    const auto by_default = denial_json({.resource = "/x"}, compiled());
    EXPECT_FALSE(by_default.contains("rule"));
    EXPECT_FALSE(by_default.contains("target"));
    EXPECT_NE(by_default["todo"].get<std::string>().find("no rule allows it"), std::string::npos);
    const auto asked =
        denial_json({.decision = Decision::kAsk, .resource = "/x", .rule = "vendor/files/1"}, compiled());
    EXPECT_NE(asked["todo"].get<std::string>().find("does not do yet"), std::string::npos);
    EXPECT_EQ(asked["where"], "vendor.jsonc:3");
    EXPECT_FALSE(asked.contains("reason"));
}

}  // namespace
}  // namespace reeve::daemon
