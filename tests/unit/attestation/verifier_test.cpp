// The verifier as a whole: what it takes, in which order it refuses, and what a refusal leaves behind.
#include "attestation/verifier.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <functional>

#include "tests/unit/attestation/scene.hpp"

namespace reeve::attestation::tests {
namespace {

using nlohmann::json;
using std::chrono::seconds;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::StartsWith;

std::int64_t at(Time time) {
    return std::chrono::floor<seconds>(time).time_since_epoch().count();
}

TEST(Verifier, TakesWhatDevicesMakeAndSaysWhatItIs) {
    for (auto algorithm : {jose::Algorithm::kEs256, jose::Algorithm::kEdDsa}) {
        Scene scene(algorithm);
        auto verified = scene.verify();
        ASSERT_TRUE(verified) << verified.error().text();
        EXPECT_EQ(verified->thumbprint(), scene.key->thumbprint());
        EXPECT_EQ(verified->id(), scene.claims["jti"].get<std::string>());
        EXPECT_EQ(verified->issued(), kNow);
        EXPECT_EQ(verified->expires(), kNow + seconds(120));
        EXPECT_TRUE(verified->proved());
        EXPECT_EQ(json::parse(verified->payload()), scene.claims);
        const Claims& claims = verified->claims();
        EXPECT_EQ(claims.session, "01JDQ4M2Z9");
        EXPECT_EQ(claims.uptime, 84211u);
        EXPECT_EQ(claims.boot_seed, std::string(32, '\x5a'));
        ASSERT_EQ(claims.checks.size(), 5u);
        EXPECT_EQ(claims.agent->id, "cowork");
        EXPECT_EQ(claims.audit->seq, 41872u);
    }
}

TEST(Verifier, TakesEvidenceWithoutProofWhereThatIsAllowedAndSaysSo) {
    Scene scene;
    scene.options.proof = ProofRule::kOptional;
    scene.with_proof = false;
    auto verified = scene.verify();
    ASSERT_TRUE(verified) << verified.error().text();
    EXPECT_FALSE(verified->proved());
    // A proof that is there has to be good all the same.
    Scene bad;
    bad.options.proof = ProofRule::kOptional;
    bad.proof_signer = bad.other.get();
    EXPECT_EQ(bad.verify().error().reason, "signature_bad");
}

TEST(Verifier, TakesChallengesOfAnyLength) {
    for (std::size_t length : {1u, 7u, 8u, 88u, 89u, 1024u}) {
        Scene scene;
        std::string challenge(length, 'c');
        auto made = make_evidence(sample_claims(kNow), {std::string(kAudience), challenge}, *scene.key,
                                  sources_at(kNow));
        auto proof = make_proof({std::string(kAudience), challenge, *made}, *scene.key, sources_at(kNow));
        ExpectedChallenge expected(challenge);
        KeySet keys({scene.key->public_key()});
        Verifier verifier(scene.options, keys, scene.replay, [] { return kNow; });
        auto verified = verifier.verify({*made, *proof}, expected);
        EXPECT_TRUE(verified) << length << verified.error().text();
    }
}

TEST(Verifier, TakesTimesUpToTheSkewAndReadsFractions) {
    auto takes = [](const std::function<void(Scene&)>& change) {
        Scene scene;
        change(scene);
        return scene.verify().has_value();
    };
    EXPECT_TRUE(takes([](Scene& s) { s.claims["iat"] = s.claims["nbf"] = s.proof["iat"] = at(kNow) + 30; }));
    EXPECT_TRUE(takes([](Scene& s) { s.claims["iat"] = at(kNow) - 100, s.claims["exp"] = at(kNow) - 29; }));
    EXPECT_TRUE(takes([](Scene& s) { s.claims["exp"] = at(kNow) + 300; }));
    EXPECT_TRUE(takes([](Scene& s) { s.claims["iat"] = static_cast<double>(at(kNow)) - 0.5; }));
    EXPECT_TRUE(takes([](Scene& s) { s.proof["iat"] = at(kNow) - 329; }));
    EXPECT_TRUE(takes([](Scene& s) { s.claims["posture"]["collected"]["disk.encrypted"] = at(kNow) - 90; }));
    // Options out of their range are held to it.
    EXPECT_TRUE(takes([](Scene& s) { s.options.skew = seconds(-5); }));
    EXPECT_FALSE(takes([](Scene& s) { s.options.skew = seconds(-5), s.claims["iat"] = at(kNow) + 1; }));
    EXPECT_FALSE(takes([](Scene& s) {
        s.options.skew = seconds(1 << 30);
        s.claims["iat"] = at(kNow) + 301, s.claims["exp"] = at(kNow) + 400;
    }));
    EXPECT_FALSE(takes([](Scene& s) {
        s.options.max_age = seconds::min();
        s.claims["posture"]["collected"]["disk.encrypted"] = at(kNow) - 31;
    }));
    EXPECT_TRUE(takes([](Scene& s) { s.options.max_age = seconds::max(); }));
}

// Wrong at every step at once, then put right step by step: the refusal moves on by one step each time.
TEST(Verifier, GoesThroughTheStepsInTheirOrder) {
    Scene scene;
    const json good_header = scene.header, good = scene.claims, good_proof = scene.proof;
    scene.claims["padding"] = std::string(7000, 'x');
    scene.header["alg"] = "none";
    scene.header["typ"] = "JWT";
    scene.signer = scene.other.get();
    for (const char* member : {"aud", "iat", "eat_nonce", "jti", "iss", "eat_profile"})
        scene.claims[member] = "wrong";
    scene.options.require = {"boot.lockdown"};

    const std::pair<Step, std::function<void()>> repairs[] = {
        {Step::kAlgorithm, [&] { scene.header["alg"] = good_header["alg"]; }},
        {Step::kType, [&] { scene.header["typ"] = good_header["typ"]; }},
        {Step::kSize, [&] { scene.claims.erase("padding"); }},
        {Step::kSignature, [&] { scene.signer = scene.key.get(); }},
        {Step::kAudience, [&] { scene.claims["aud"] = good["aud"]; }},
        {Step::kTimes, [&] { scene.claims["iat"] = good["iat"]; }},
        {Step::kChallenge, [&] { scene.claims["eat_nonce"] = scene.proof["challenge"] = scene.challenge; }},
        {Step::kReplay,
         [&] {
             scene.claims["jti"] = "a new one";
             scene.proof["jti"] = "a newer one";
         }},
        {Step::kBinding, [&] { scene.claims["iss"] = good["iss"]; }},
        {Step::kProfile, [&] { scene.claims["eat_profile"] = good["eat_profile"]; }},
        {Step::kPolicy, [&] { scene.options.require = {"boot.secure-boot"}; }},
    };
    scene.claims["jti"] = "";
    int number = 0;
    for (const auto& [step, repair] : repairs) {
        EXPECT_EQ(static_cast<int>(step), ++number);
        auto result = scene.verify();
        ASSERT_FALSE(result) << name(step);
        EXPECT_EQ(result.error().step, step) << result.error().text();
        repair();
        // What steps 7 and 8 use up is renewed, so that the next refusal is the next step's.
        if (step >= Step::kChallenge) {
            scene.challenge = scene.challenges.issue().value();
            scene.claims["eat_nonce"] = scene.proof["challenge"] = scene.challenge;
        }
        if (step >= Step::kReplay) {
            scene.claims["jti"] = "evidence " + std::to_string(number);
            scene.proof["jti"] = "proof " + std::to_string(number);
        }
    }
    auto verified = scene.verify();
    EXPECT_TRUE(verified) << verified.error().text();
}

TEST(Verifier, LooksAtTheEvidenceBeforeTheProofAtEachStep) {
    const std::pair<Step, std::function<void(Scene&)>> spoilers[] = {
        {Step::kAlgorithm, [](Scene& s) { s.header["alg"] = s.proof_header["alg"] = "none"; }},
        {Step::kType, [](Scene& s) { s.header["typ"] = s.proof_header["typ"] = "JWT"; }},
        {Step::kSignature, [](Scene& s) { s.signer = s.proof_signer = s.other.get(); }},
        {Step::kAudience, [](Scene& s) { s.claims["aud"] = s.proof["aud"] = "x"; }},
        {Step::kTimes, [](Scene& s) { s.claims["iat"] = s.proof["iat"] = "x"; }},
        {Step::kChallenge, [](Scene& s) { s.claims["eat_nonce"] = s.proof["challenge"] = 1; }},
        {Step::kReplay, [](Scene& s) { s.claims["jti"] = s.proof["jti"] = 1; }},
        {Step::kBinding, [](Scene& s) { s.claims["iss"] = s.proof["evh"] = 1; }},
    };
    for (const auto& [step, spoil] : spoilers) {
        Scene scene;
        spoil(scene);
        auto result = scene.verify();
        ASSERT_FALSE(result);
        EXPECT_EQ(result.error().step, step) << result.error().text();
        EXPECT_THAT(result.error().detail, StartsWith("evidence: "));
    }
    // And a step over both before the next step.
    Scene scene;
    scene.claims["iat"] = "x";
    scene.proof["aud"] = "x";
    EXPECT_EQ(scene.verify().error().step, Step::kAudience);
}

TEST(Verifier, TheSamePresentationIsGoodOnce) {
    Scene scene;
    ASSERT_TRUE(scene.verify());
    EXPECT_EQ(scene.verify_again().error().reason, "challenge_unknown");
    // Even where nobody kept the challenge, the ids are.
    UncheckedChallenge any;
    KeySet keys({scene.key->public_key()});
    Verifier verifier(scene.options, keys, scene.replay, [] { return kNow; });
    EXPECT_EQ(verifier.verify(scene.presented(), any).error().reason, "replayed");
}

TEST(Verifier, ARefusalAfterTheChallengeHasUsedItUp) {
    Scene scene;
    scene.claims["eat_profile"] = "x";
    EXPECT_EQ(scene.verify().error().reason, "profile_wrong");
    EXPECT_EQ(scene.challenges.consume(scene.challenge, kNow), ChallengeState::kUnknown);
    // A forgery, which fails earlier, does not take the challenge away from its owner.
    Scene forged;
    forged.signer = forged.other.get();
    EXPECT_EQ(forged.verify().error().reason, "signature_bad");
    forged.signer = forged.key.get();
    EXPECT_TRUE(forged.verify());
}

TEST(Verifier, IdsOfDifferentKeysAndKindsDoNotMeet) {
    Scene scene;
    scene.claims["jti"] = scene.proof["jti"] = "the same";
    EXPECT_TRUE(scene.verify());
    Scene second;
    second.claims["jti"] = second.proof["jti"] = "the same";
    KeySet keys({second.key->public_key()});
    second.sign();
    Verifier verifier(second.options, keys, scene.replay, [] { return kNow; });
    EXPECT_TRUE(verifier.verify(second.presented(), second.challenges));
}

// A resolver that answers with some key whatever is asked.
TEST(Verifier, TheKidHasToNameTheKeyThatTheResolverGave) {
    struct OneKey : KeyResolver {
        explicit OneKey(jose::PublicKey one) : key(std::move(one)) {}
        std::optional<jose::PublicKey> find(std::string_view) const override { return key; }
        jose::PublicKey key;
    };
    Scene scene;
    scene.header["kid"] = "device-1";
    scene.sign();
    OneKey keys(scene.key->public_key());
    Verifier verifier(scene.options, keys, scene.replay, [] { return kNow; });
    EXPECT_EQ(verifier.verify(scene.presented(), scene.challenges).error().reason, "key_binding_wrong");
}

TEST(Verifier, PolicyNamesEveryRequirementThatIsNotMet) {
    Scene scene;
    scene.options.require = {"firmware.secure-boot", "boot.lockdown", "edr.running", "disk.encrypted",
                             "firmware.nothing"};
    scene.claims["posture"]["collected"]["disk.encrypted"] = at(kNow) - 1000;
    auto result = scene.verify();
    ASSERT_FALSE(result);
    EXPECT_EQ(result.error().reason, "check_not_success");
    EXPECT_THAT(result.error().checks,
                ElementsAre("boot.lockdown check_not_success", "edr.running check_missing",
                            "disk.encrypted collection_stale", "firmware.nothing check_missing"));
    EXPECT_THAT(result.error().detail, HasSubstr("boot.lockdown is fail (value_none)"));
    EXPECT_THAT(result.error().text(), StartsWith("step 11, policy: check_not_success: evidence: "));
}

// FORMATS asks for "firmware.secure-boot"; devices measure "boot.secure-boot".
TEST(Verifier, FirmwareIsAnotherNameOfBootAndOnlyWhereThereIsNoSuchCheck) {
    Scene scene;
    scene.options.require = {"firmware.lockdown"};
    EXPECT_EQ(scene.verify().error().reason, "check_not_success");
    Scene own;
    own.options.require = {"firmware.secure-boot"};
    own.claims["measres"].push_back(json::parse(R"(["firmware",[["secure-boot","fail"]]])"));
    own.claims["posture"]["collected"]["firmware.secure-boot"] = at(kNow);
    EXPECT_EQ(own.verify().error().reason, "check_not_success");
}

TEST(Verifier, DetailsShowHostileTextEscapedAndCut) {
    Scene scene;
    scene.claims["aud"] = "\x1b[31m\"\n" + std::string(300, 'a');
    std::string detail = scene.verify().error().detail;
    EXPECT_THAT(detail, HasSubstr(R"("\x1b[31m\x22\x0aaaa)"));
    EXPECT_LT(detail.size(), 200u);
}

TEST(Verifier, RefusesEmptyAndHugePresentations) {
    Scene scene;
    KeySet keys({scene.key->public_key()});
    Verifier verifier(scene.options, keys, scene.replay, [] { return kNow; });
    for (const std::string& bad :
         {std::string(), std::string("."), std::string(".."), std::string(1 << 20, 'A')})
        EXPECT_EQ(verifier.verify({bad, bad}, scene.challenges).error().reason, "header_malformed");
    // A good header, then a megabyte: the size is known before anything behind the header is read.
    scene.sign();
    std::string huge =
        scene.evidence_token.substr(0, scene.evidence_token.find('.') + 1) + std::string(1 << 20, 'A');
    EXPECT_EQ(verifier.verify({huge, scene.proof_token}, scene.challenges).error().reason, "too_large");
}

TEST(KeySet, FindsByThumbprintAlone) {
    auto a = make_key(), b = make_key(jose::Algorithm::kEdDsa), c = make_key();
    auto set = KeySet::from_json(R"({"keys":[)" + a->public_key().jwk() + "," + b->public_key().jwk() + "]}");
    ASSERT_TRUE(set);
    EXPECT_EQ(set->find(a->thumbprint())->jwk(), a->public_key().jwk());
    EXPECT_EQ(set->find(b->thumbprint())->jwk(), b->public_key().jwk());
    EXPECT_FALSE(set->find(c->thumbprint()));
    EXPECT_FALSE(set->find(""));
    EXPECT_EQ(KeySet::from_json(R"({"keys":[]})").error().fault, Fault::kKey);
    EXPECT_EQ(KeySet::from_json("[]").error().fault, Fault::kMalformed);
}

}  // namespace
}  // namespace reeve::attestation::tests
