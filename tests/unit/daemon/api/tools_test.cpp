#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "daemon/api/audit_tools.hpp"
#include "daemon/api/calls.hpp"
#include "daemon/api/policy_tools.hpp"
#include "tests/unit/daemon/audit/support.hpp"

namespace reeve::api {
namespace {

using audit::test::Place;
using audit::test::read_file;
using audit::test::Scratch;
using audit::test::write_file;
using testing::HasSubstr;

class VerifyLog : public testing::Test {
  protected:
    void SetUp() override {
        auto log = place_.open().value();
        audit::test::fill(*log, 20);
        log.reset();
        write_file(place_.state / kPublicKeyFile, audit::test::device_key()->public_key().jwk());
    }
    AuditPlaces places() const {
        return {.log = place_.log, .state = place_.state, .key = {}, .checkpoint = {}};
    }
    // The last `count` lines of the last segment are gone, as if they had never been.
    void cut(std::size_t count) const {
        auto lines = audit::test::lines_of(read_file(place_.segments().back()));
        lines.resize(lines.size() - count);
        std::string text;
        for (const auto& line : lines) text += line;
        write_file(place_.segments().back(), text);
    }

    const Place place_;
};

TEST_F(VerifyLog, AWholeLogVerifiesWithItsSignatures) {
    const auto verdict = verify_log(places());
    ASSERT_TRUE(verdict) << verdict.error().text();
    EXPECT_TRUE(verdict->ok) << verdict->text;
    EXPECT_TRUE(verdict->missing.empty());
    EXPECT_GT(verdict->json["signatures_checked"], 0);
}

TEST_F(VerifyLog, ACutTailShowsAgainstTheStateDirectory) {
    cut(3);
    const auto verdict = verify_log(places());
    ASSERT_TRUE(verdict);
    EXPECT_FALSE(verdict->ok);
    EXPECT_EQ(verdict->json["problem"], "tail_cut");
}

TEST_F(VerifyLog, WithoutAStateItSaysWhatIsNotChecked) {
    cut(3);
    auto where = places();
    where.state.clear();
    const auto verdict = verify_log(where);
    ASSERT_TRUE(verdict);
    EXPECT_TRUE(verdict->ok);
    EXPECT_THAT(verdict->missing, testing::ElementsAre(HasSubstr("signatures"), HasSubstr("cut off")));
}

TEST_F(VerifyLog, ACheckpointFromElsewhereCountsWithItsLineEnd) {
    cut(3);
    auto where = places();
    where.state.clear();
    where.key = place_.state / kPublicKeyFile;
    where.checkpoint = place_.scratch.path / "kept.jws";
    write_file(where.checkpoint, read_file(place_.state / "audit-checkpoint.jws") + "\n");
    const auto verdict = verify_log(where);
    ASSERT_TRUE(verdict);
    EXPECT_EQ(verdict->json["problem"], "tail_cut");
}

TEST_F(VerifyLog, AnotherKeyIsABadSignature) {
    auto other = attestation::MemoryKey::generate(attestation::jose::Algorithm::kEs256);
    ASSERT_TRUE(other);
    write_file(place_.state / kPublicKeyFile, (*other)->public_key().jwk());
    const auto verdict = verify_log(places());
    ASSERT_TRUE(verdict);
    EXPECT_EQ(verdict->json["problem"], "bad_signature");
}

TEST_F(VerifyLog, WhatWasNamedMustBeThere) {
    auto where = places();
    where.key = "/nonexistent";
    EXPECT_FALSE(verify_log(where));
    where = places();
    where.checkpoint = "/nonexistent";
    EXPECT_FALSE(verify_log(where));
    where = places();
    where.log = "/nonexistent";
    EXPECT_FALSE(verify_log(where));
    where = places();
    write_file(place_.state / kPublicKeyFile, "not a key");
    EXPECT_FALSE(verify_log(where));  // there, and not in order: never taken for "none"
}

class CheckPolicies : public testing::Test {
  protected:
    std::string write(const std::string& name, const std::string& text) const {
        write_file(scratch_.path / name, text);
        return scratch_.path / name;
    }
    const Scratch scratch_;
    const std::string plain_ = R"({"schema": "reeve.policy/1", "id": "acme", "version": 3,
        "agents": {"cowork": {"executables": ["/opt/cowork/bin/*"]}},
        "files": [{"allow": ["read"], "paths": ["/usr/**"]}]})";
};

TEST_F(CheckPolicies, AGoodOneIsCompiledForEachOfItsAgents) {
    const auto results = check_policies({write("a.json", plain_)}, kVendorPolicy);
    ASSERT_EQ(results.size(), 1U);
    EXPECT_TRUE(results[0].ok());
    EXPECT_EQ(results[0].id, "acme");
    EXPECT_EQ(results[0].version, 3U);
    ASSERT_EQ(results[0].agents.size(), 2U);
    EXPECT_EQ(results[0].agents[1].agent, "cowork");
    EXPECT_GT(results[0].agents[1].states, 0U);
}

TEST_F(CheckPolicies, FaultsHaveTheirPlaceAndOtherFilesAreStillRead) {
    const auto results = check_policies(
        {write("bad.json", "{\"schema\": \"reeve.policy/1\",\n \"id\": \"acme\", \"filez\": []}"),
         write("good.json", plain_), "/nonexistent.json"},
        kVendorPolicy);
    ASSERT_EQ(results.size(), 3U);
    EXPECT_FALSE(results[0].ok());
    ASSERT_FALSE(results[0].problems.empty());
    EXPECT_EQ(results[0].problems[0].line, 2U);
    EXPECT_THAT(results[0].problems[0].text, HasSubstr("files"));
    EXPECT_TRUE(results[1].ok());
    EXPECT_FALSE(results[2].ok());
}

TEST_F(CheckPolicies, ExtendingTheVendorNeedsItsDocument) {
    std::string text = plain_;
    text.insert(text.find("\"agents\""), "\"extends\": [\"vendor\"], ");
    const auto file = write("a.json", text);
    const auto without = check_policies({file}, "/nonexistent");
    EXPECT_FALSE(without[0].ok());
    EXPECT_THAT(without[0].problems[0].text, HasSubstr("extends \"vendor\""));
    const auto vendor = write("vendor.json", R"({"schema": "reeve.policy/1", "id": "vendor", "version": 1,
        "files": [{"allow": ["read"], "paths": ["/etc/**"]}]})");
    EXPECT_TRUE(check_policies({file}, vendor)[0].ok());
    EXPECT_TRUE(check_policies({file, vendor}, "/nonexistent")[0].ok());
}

TEST_F(CheckPolicies, TestFilesFindTheirLayersBesideThem) {
    write("a.json", plain_);
    const auto test = write("t.json", R"({"schema": "reeve.policy-test/1", "layers": ["a.json"],
        "variables": {"home": "/home/alice", "workspace": "/home/alice/w", "user": "alice", "tmp": "/tmp"},
        "accesses": [{"action": "read", "path": "/usr/bin/git", "expect": "allow"},
                     {"action": "read", "path": "/etc/shadow", "expect": "allow"}]})");
    const auto result = test_policy(test);
    ASSERT_TRUE(result.problems.empty()) << result.problems[0].text;
    ASSERT_EQ(result.accesses.size(), 2U);
    EXPECT_TRUE(result.accesses[0].passed);
    EXPECT_FALSE(result.accesses[1].passed);
    EXPECT_EQ(result.accesses[1].actual, "deny");
    EXPECT_FALSE(result.ok());
    EXPECT_FALSE(test_policy(write("broken.json", "{")).ok());
    EXPECT_FALSE(test_policy("/nonexistent").ok());
}

}  // namespace
}  // namespace reeve::api
