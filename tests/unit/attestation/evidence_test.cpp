// What a device signs: member for member what FORMATS says, and nothing where a claim is out of its bounds.
#include "attestation/evidence.hpp"

#include <gtest/gtest.h>

#include <functional>
#include <nlohmann/json.hpp>

#include "attestation/claims_json.hpp"
#include "attestation/jose/base64url.hpp"
#include "attestation/proof.hpp"
#include "tests/unit/attestation/tokens.hpp"
#include "tests/unit/attestation/vectors.hpp"

namespace reeve::attestation::tests {
namespace {

using nlohmann::json;
using std::chrono::seconds;

// Time stands still and each random byte is 7: with Ed25519, which needs no randomness, all bytes are fixed.
Sources fixed_sources() {
    return {[] { return kNow; },
            [](std::span<std::byte> out) -> Status {
                std::ranges::fill(out, std::byte{7});
                return {};
            }};
}

TEST(Evidence, IsMemberForMemberWhatFormatsSays) {
    auto key = MemoryKey::from_private_jwk(kRfc8037PrivateKey);
    auto token =
        make_evidence(sample_claims(kNow), {std::string(kAudience), "challenge-1"}, **key, fixed_sources());
    ASSERT_TRUE(token);
    Opened parts = open(*token);
    EXPECT_EQ(json::parse(parts.header), json::parse(R"({"alg":"EdDSA","typ":"reeve-evidence+jwt",
        "kid":"kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k"})"));
    EXPECT_EQ(json::parse(parts.payload), json::parse(R"({
        "iss":"urn:ietf:params:oauth:jwk-thumbprint:sha-256:kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k",
        "sub":"01JDQ4M2Z9","aud":"https://broker.example","iat":1795392000,"exp":1795392120,
        "jti":"BwcHBwcHBwcHBwcHBwcHBw","eat_profile":"tag:reeve,2026:endpoint-posture#1","eat_nonce":"challenge-1",
        "cnf":{"jkt":"kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k"},
        "bootseed":"WlpaWlpaWlpaWlpaWlpaWlpaWlpaWlpaWlpaWlpaWlo","uptime":84211,"swname":"reeve","swversion":["1.0.0"],
        "measres":[["boot",[["secure-boot","success"],["lockdown","fail"]]],["disk",[["encrypted","success"]]],
                   ["edr",[["crowdstrike","absent"]]],["updates",[["security","not-run"]]]],
        "posture":{"policy":"acme-desktop@12","policy_sha256":"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
          "collected":{"boot.secure-boot":1795391980,"boot.lockdown":1795391980,"disk.encrypted":1795391980},
          "reasons":{"boot.lockdown":"value_none","edr.crowdstrike":"not_installed","updates.security":"timeout"},
          "agent":{"id":"cowork","sha256":"bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb","trust":"signer"},
          "audit":{"seq":41872,"chain":"cccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccc"}}})"));
}

TEST(Evidence, OfTheDeviceAloneHasNoAgent) {
    auto key = make_key();
    Claims claims = sample_claims(kNow);
    claims.session.clear();
    claims.agent.reset();
    claims.audit.reset();
    auto token = make_evidence(claims, {std::string(kAudience), "c"}, *key, sources_at(kNow));
    ASSERT_TRUE(token);
    json payload = json::parse(open(*token).payload);
    EXPECT_EQ(payload["sub"], "device");
    EXPECT_EQ(payload["eat_nonce"], jose::sha256_base64url("c"));
    EXPECT_FALSE(payload["posture"].contains("agent"));
    EXPECT_FALSE(payload["posture"].contains("audit"));
    EXPECT_TRUE(from_json(payload)->session.empty());
}

TEST(Proof, IsMemberForMemberWhatFormatsSays) {
    auto key = MemoryKey::from_private_jwk(kRfc8037PrivateKey);
    auto token = make_proof({"https://issuer.example", "c", "the.evidence.token"}, **key, fixed_sources());
    ASSERT_TRUE(token);
    EXPECT_EQ(json::parse(open(*token).header),
              json::parse(R"({"alg":"EdDSA","typ":"oauth-client-attestation-pop+jwt"})"));
    EXPECT_EQ(json::parse(open(*token).payload),
              (json{{"aud", "https://issuer.example"},
                    {"iat", 1795392000},
                    {"jti", "BwcHBwcHBwcHBwcHBwcHBw"},
                    {"challenge", "c"},
                    {"evh", jose::sha256_base64url("the.evidence.token")}}));
}

TEST(Evidence, IsNotSignedWhereAClaimIsOutOfItsBounds) {
    auto key = make_key();
    auto fault = [&](const std::function<void(Claims&)>& spoil) {
        Claims claims = sample_claims(kNow);
        spoil(claims);
        auto token = make_evidence(claims, {std::string(kAudience), "challenge-1"}, *key, sources_at(kNow));
        return token ? std::string("signed") : std::string(word(token.error().fault));
    };
    const std::function<void(Claims&)> spoilers[] = {
        [](Claims& c) { c.session = "device"; },
        [](Claims& c) { c.session = std::string(257, 's'); },
        [](Claims& c) { c.session = "\xff"; },
        [](Claims& c) { c.boot_seed.resize(15); },
        [](Claims& c) { c.boot_seed.resize(65); },
        [](Claims& c) { c.uptime = 1ull << 53; },
        [](Claims& c) { c.version.clear(); },
        [](Claims& c) { c.checks[0].name = "Secure Boot"; },
        [](Claims& c) { c.checks[0].area.clear(); },
        [](Claims& c) { c.checks[0].collected.reset(); },
        [](Claims& c) { c.checks[4].reason.clear(); },
        [](Claims& c) { c.checks[4].reason = "because it is so"; },
        [](Claims& c) { c.checks.push_back(c.checks[0]); },
        [](Claims& c) { c.policy.clear(); },
        [](Claims& c) { c.policy_sha256[0] = 'A'; },
        [](Claims& c) { c.agent->sha256.pop_back(); },
        [](Claims& c) { c.agent->trust.clear(); },
        [](Claims& c) { c.audit->chain += '0'; },
    };
    for (std::size_t i = 0; i < std::size(spoilers); ++i)
        EXPECT_EQ(fault(spoilers[i]), "argument_invalid") << i;
}

TEST(Evidence, IsNotSignedForNobodyOrWithoutAClockOrRandomness) {
    auto key = make_key();
    auto make = [&](EvidenceRequest request, const Sources& sources) {
        auto token = make_evidence(sample_claims(kNow), request, *key, sources);
        return token ? std::string("signed") : std::string(word(token.error().fault));
    };
    const std::string audience(kAudience);
    EXPECT_EQ(make({"", "challenge"}, sources_at(kNow)), "argument_invalid");
    EXPECT_EQ(make({audience, ""}, sources_at(kNow)), "argument_invalid");
    EXPECT_EQ(make({audience, std::string(1025, 'c')}, sources_at(kNow)), "argument_invalid");
    EXPECT_EQ(make({audience, "c", seconds(59)}, sources_at(kNow)), "argument_invalid");
    EXPECT_EQ(make({audience, "c", seconds(301)}, sources_at(kNow)), "argument_invalid");
    EXPECT_EQ(make({audience, "c"}, sources_at(Time{})), "clock_invalid");
    EXPECT_EQ(
        make({audience, "c"},
             {[] { return kNow; }, [](std::span<std::byte>) { return Status(fail(Fault::kRandom, "dry")); }}),
        "random_failed");
    EXPECT_EQ(make_proof({audience, "c", "e"}, *key, sources_at(Time{})).error().fault, Fault::kClock);
}

}  // namespace
}  // namespace reeve::attestation::tests
