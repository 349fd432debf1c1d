#include "daemon/posture/claims.hpp"

#include <gtest/gtest.h>

#include "attestation/jose/base64url.hpp"
#include "platform/linux/posture/walls.hpp"
#include "tests/unit/daemon/posture/support.hpp"

namespace reeve::posture::test {
namespace {

constexpr const char* kBootId = "/proc/sys/kernel/random/boot_id";
constexpr const char* kUuid = "9f3c2b1a-0d4e-4f5a-8b6c-7d8e9f0a1b2c";

void boot(FakeSystem& system, const std::string& id, const std::string& uptime) {
    system.files[kBootId] = id;
    system.files["/proc/uptime"] = uptime;
}

TEST(Boot, SeedIsAHashOfTheBoot) {
    FakeSystem system;
    boot(system, std::string(kUuid) + "\n", "84211.53 321.00\n");
    const auto boot_now = boot_of(system);
    ASSERT_TRUE(boot_now) << boot_now.error().text();
    EXPECT_EQ(boot_now->uptime, 84211U);
    EXPECT_EQ(boot_now->seed.size(), 32U);
    EXPECT_EQ(boot_now->seed, attestation::jose::sha256("reeve-bootseed" + std::string(kUuid)));
    EXPECT_EQ(boot_now->seed.find(kUuid), std::string::npos);

    boot(system, "9f3c2b1a-0d4e-4f5a-8b6c-7d8e9f0a1b2d\n", "1.00 0.50\n");
    EXPECT_NE(boot_of(system).value().seed, boot_now->seed);
}

TEST(Boot, WhatIsNotUnderstoodIsAnError) {
    FakeSystem system;
    EXPECT_EQ(boot_of(system).error().code, ENOENT);
    for (const auto& [id, uptime] :
         std::vector<std::pair<std::string, std::string>>{{"", "1.0"},
                                                          {"short", "1.0"},
                                                          {std::string(kUuid) + "x", "1.0"},
                                                          {kUuid, ""},
                                                          {kUuid, "-1.0"},
                                                          {kUuid, "x"}}) {
        boot(system, id, uptime);
        EXPECT_FALSE(boot_of(system)) << id << " " << uptime;
    }
    system.files.erase("/proc/uptime");
    system.files[kBootId] = kUuid;
    EXPECT_EQ(boot_of(system).error().code, ENOENT);
}

TEST(Claims, CarryWordReasonAndTime) {
    using attestation::Outcome;
    Posture posture{.checks = {check("boot", "a", Word::kSuccess), check("boot", "b", Word::kFail, "value_0"),
                               check("disk", "c", Word::kNotRun, "timeout"),
                               check("edr", "d", Word::kAbsent, "not_installed")},
                    .collected = 0};
    for (auto& one : posture.checks) one.collected = 1'790'000'123;
    const auto claims = claimed(posture);
    ASSERT_EQ(claims.size(), 4U);
    const Outcome kOutcomes[] = {Outcome::kSuccess, Outcome::kFail, Outcome::kNotRun, Outcome::kAbsent};
    for (std::size_t i = 0; i < claims.size(); ++i) {
        EXPECT_EQ(claims[i].area, posture.checks[i].area);
        EXPECT_EQ(claims[i].name, posture.checks[i].name);
        EXPECT_EQ(claims[i].reason, posture.checks[i].reason);
        EXPECT_EQ(claims[i].outcome, kOutcomes[i]);
        EXPECT_EQ(claims[i].collected, attestation::Time(std::chrono::seconds(1'790'000'123)));
    }
}

// "sandbox.self-test" stands for the walls that held; one that did not is claimed by name.
TEST(Claims, LeaveOutWallsThatDidNotFail) {
    Posture posture{.checks = {check("sandbox", "self-test", Word::kFail, "value_open"),
                               check("sandbox", "landlock", Word::kSuccess)},
                    .collected = 0};
    for (const auto wall : platform::posture::kWalls)
        posture.checks.push_back(check("sandbox", std::string(wall), Word::kSuccess));
    posture.checks.back().word = Word::kFail;
    posture.checks[2].word = Word::kNotRun;
    posture.checks.push_back(check("disk", "mount", Word::kSuccess));  // named like a wall, of another area
    const auto claims = claimed(posture);
    ASSERT_EQ(claims.size(), 4U);
    EXPECT_EQ(claims[0].name, "self-test");
    EXPECT_EQ(claims[1].name, "landlock");
    EXPECT_EQ(claims[2].name, platform::posture::kWalls.back());
    EXPECT_EQ(claims[3].area, "disk");
}

}  // namespace
}  // namespace reeve::posture::test
