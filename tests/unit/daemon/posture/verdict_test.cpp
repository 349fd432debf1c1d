#include "daemon/posture/verdict.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "tests/unit/daemon/posture/support.hpp"

namespace reeve::posture::test {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;
using testing::UnorderedElementsAre;

Posture device() {
    return {.checks = {check("boot", "secure-boot", Word::kSuccess),
                       check("boot", "lockdown", Word::kFail, "value_none"),
                       check("disk", "encrypted", Word::kNotRun, "permission"),
                       check("edr", "sensor", Word::kAbsent, "not_installed")},
            .collected = 5};
}

TEST(Verdict, NothingRequiredIsCompliant) {
    EXPECT_TRUE(judge(device(), {}).compliant);
}

TEST(Verdict, OnlySuccessMeets) {
    const std::vector<std::string> require = {"boot.secure-boot", "boot.lockdown", "disk.encrypted",
                                              "edr.sensor"};
    const auto verdict = judge(device(), require);
    EXPECT_FALSE(verdict.compliant);
    ASSERT_EQ(verdict.requirements.size(), 4U);
    const std::pair<bool, std::string> kExpected[] = {
        {true, ""}, {false, "value_none"}, {false, "permission"}, {false, "not_installed"}};
    for (std::size_t i = 0; i < 4; ++i) {
        EXPECT_EQ(verdict.requirements[i].id, require[i]);
        EXPECT_EQ(verdict.requirements[i].met, kExpected[i].first) << require[i];
        EXPECT_EQ(verdict.requirements[i].reason, kExpected[i].second) << require[i];
    }
}

// Each by itself falls short: the last one must not cover the first.
TEST(Verdict, OneThatFallsShortIsEnough) {
    for (const char* id : {"boot.lockdown", "disk.encrypted", "edr.sensor", "no.such"}) {
        EXPECT_FALSE(judge(device(), std::vector<std::string>{id, "boot.secure-boot"}).compliant) << id;
        EXPECT_FALSE(judge(device(), std::vector<std::string>{"boot.secure-boot", id}).compliant) << id;
    }
}

TEST(Verdict, WhatNoProbeKnowsFallsShort) {
    const auto verdict = judge(device(), std::vector<std::string>{"boot.secure-bot"});
    EXPECT_FALSE(verdict.compliant);
    EXPECT_EQ(verdict.requirements.at(0).reason, "unknown_check");
}

TEST(Verdict, OtherNamesOfTheContract) {
    const auto verdict = judge(device(), std::vector<std::string>{"firmware.secure-boot"});
    EXPECT_TRUE(verdict.compliant);
    EXPECT_EQ(verdict.requirements.at(0).id, "firmware.secure-boot") << "as the policy wrote it";
}

// --- shown

TEST(PostureJson, LeavesOutWhatIsEmpty) {
    auto posture = device();
    posture.checks[1].todo = "do something";
    const auto rows = nlohmann::json::parse(to_json(posture));
    ASSERT_EQ(rows.size(), 4U);
    EXPECT_EQ(rows[0], (nlohmann::json{{"area", "boot"},
                                       {"check", "secure-boot"},
                                       {"result", "success"},
                                       {"collected", 0},
                                       {"detail", "seen"}}));
    EXPECT_EQ(rows[1]["result"], "fail");
    EXPECT_EQ(rows[1]["reason"], "value_none");
    EXPECT_EQ(rows[1]["todo"], "do something");
    EXPECT_EQ(rows[2]["result"], "not-run");
    EXPECT_EQ(rows[3]["result"], "absent");
}

TEST(PostureJson, ShowsWhatIsNotUtf8) {
    Posture posture{.checks = {check("a", "b", Word::kNotRun, "internal")}, .collected = 0};
    posture.checks[0].detail = "cannot read /\xff\xfe";
    EXPECT_EQ(nlohmann::json::parse(to_json(posture))[0]["detail"], "cannot read /\xef\xbf\xbd\xef\xbf\xbd");
}

TEST(PostureTable, SaysWhatToDoAndTheVerdict) {
    auto posture = device();
    posture.checks[1].todo = "start with lockdown=integrity";
    posture.checks[0].todo = "nothing, all is well";
    const auto none = to_table(posture, judge(posture, {}));
    EXPECT_THAT(none, HasSubstr("boot.secure-boot  success seen\n"));
    EXPECT_THAT(none, HasSubstr("boot.lockdown     fail    seen (value_none)\n"));
    EXPECT_THAT(none, HasSubstr("to do: start with lockdown=integrity\n"));
    EXPECT_THAT(none, Not(HasSubstr("all is well")));
    EXPECT_THAT(none, Not(HasSubstr("policy")));
    EXPECT_THAT(to_table(posture, judge(posture, std::vector<std::string>{"boot.secure-boot"})),
                HasSubstr("This device meets the policy."));
    const auto short_of =
        to_table(posture, judge(posture, std::vector<std::string>{"disk.encrypted", "x.y"}));
    EXPECT_THAT(short_of, HasSubstr("required but not met: disk.encrypted (permission)\n"));
    EXPECT_THAT(
        short_of,
        HasSubstr("required but not met: x.y (unknown_check)\nThis device falls short of the policy.\n"));
}

// --- changes

TEST(Changes, AreOfWordAndReason) {
    const auto before = device();
    auto after = device();
    EXPECT_THAT(changes(before, after), IsEmpty());
    after.checks[0].detail = "seen otherwise";
    after.checks[0].collected = 99;
    EXPECT_THAT(changes(before, after), IsEmpty());
    after.checks[0].word = Word::kFail;
    after.checks[2].reason = "timeout";
    EXPECT_THAT(changes(before, after), ElementsAre("boot.secure-boot", "disk.encrypted"));
}

TEST(Changes, WhatComesAndGoes) {
    const auto before = device();
    auto after = device();
    after.checks.erase(after.checks.begin());
    after.checks.push_back(check("sandbox", "ptrace", Word::kFail, "value_open"));
    EXPECT_THAT(changes(before, after), UnorderedElementsAre("boot.secure-boot", "sandbox.ptrace"));
    EXPECT_THAT(changes({}, before),
                ElementsAre("boot.secure-boot", "boot.lockdown", "disk.encrypted", "edr.sensor"));
}

}  // namespace
}  // namespace reeve::posture::test
