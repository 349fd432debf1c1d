// Each reason of the verifier, by a presentation that is wrong in that one respect; and that the step which
// gives the reason is the one that holds it: with that step left out, all the others pass.
#include <gtest/gtest.h>

#include <functional>
#include <span>
#include <vector>

#include "attestation/jose/base64url.hpp"
#include "attestation/verifier_steps.hpp"
#include "tests/unit/attestation/scene.hpp"

namespace reeve::attestation::tests {
namespace {

using nlohmann::json;
using std::chrono::seconds;

struct Wrong {
    const char* name;
    Step step;
    const char* reason;
    std::function<void(Scene&)> spoil;              // before signing
    std::function<void(Scene&)> spoil_signed = {};  // after it
    bool others_pass = true;  // with the step left out; not where later steps need what it reads
};

void PrintTo(const Wrong& wrong, std::ostream* out) {
    *out << wrong.name;
}

std::int64_t at(Time time) {
    return std::chrono::floor<seconds>(time).time_since_epoch().count();
}
const std::int64_t kThen = at(kNow);

// A member named twice, or another text that no JSON library would write: put in by hand.
std::string signed_text(const std::string& token, const char* what, const char* with, const Signer& key,
                        bool in_header) {
    Opened parts = open(token);
    std::string& text = in_header ? parts.header : parts.payload;
    text.replace(text.find(what), 1, with);
    return craft(parts.header, parts.payload, key);
}

const Wrong kAlgorithmOnes[] = {
    {"header_is_no_json",
     Step::kAlgorithm,
     "header_malformed",
     {},
     [](Scene& s) { s.evidence_token[0] = '!'; },
     false},
    {"header_names_alg_twice",
     Step::kAlgorithm,
     "header_malformed",
     {},
     [](Scene& s) {
         s.evidence_token = signed_text(s.evidence_token, "{", R"({"alg":"none",)", *s.key, true);
     },
     false},
    {"header_over_1_kB",
     Step::kAlgorithm,
     "header_malformed",
     [](Scene& s) { s.header["x"] = std::string(1024, 'x'); },
     {},
     false},
    {"header_is_critical",
     Step::kAlgorithm,
     "header_critical",
     [](Scene& s) { s.header["crit"] = json::array({"exp"}); },
     {},
     false},
    {"alg_none", Step::kAlgorithm, "algorithm_refused", [](Scene& s) { s.header["alg"] = "none"; },
     [](Scene& s) { s.evidence_token.resize(s.evidence_token.rfind('.') + 1); }, false},
    {"alg_hs256",
     Step::kAlgorithm,
     "algorithm_refused",
     [](Scene& s) { s.header["alg"] = "HS256"; },
     {},
     false},
    {"alg_missing",
     Step::kAlgorithm,
     "algorithm_refused",
     [](Scene& s) { s.header.erase("alg"); },
     {},
     false},
    {"alg_not_on_the_list",
     Step::kAlgorithm,
     "algorithm_refused",
     [](Scene& s) { s.options.algorithms = {jose::Algorithm::kEdDsa}; },
     {},
     false},
    {"proof_header_is_no_json",
     Step::kAlgorithm,
     "header_malformed",
     {},
     [](Scene& s) { s.proof_token = "e30" + s.proof_token; },
     false},
    {"proof_alg_none",
     Step::kAlgorithm,
     "algorithm_refused",
     [](Scene& s) { s.proof_header["alg"] = "none"; },
     {},
     false},
};

const Wrong kTypeAndSize[] = {
    {"type_of_another_token", Step::kType, "type_wrong", [](Scene& s) { s.header["typ"] = "JWT"; }},
    {"type_missing", Step::kType, "type_wrong", [](Scene& s) { s.header.erase("typ"); }},
    {"type_in_capitals", Step::kType, "type_wrong", [](Scene& s) { s.header["typ"] = "Reeve-Evidence+JWT"; }},
    {"proof_type_is_the_evidence_s", Step::kType, "type_wrong",
     [](Scene& s) { s.proof_header["typ"] = kEvidenceType; }},
    {"evidence_and_proof_too_large", Step::kSize, "too_large",
     [](Scene& s) { s.claims["x"] = s.proof["x"] = std::string(3000, 'x'); }},
};

const Wrong kSignatureOnes[] = {
    {"key_is_not_known",
     Step::kSignature,
     "key_unknown",
     [](Scene& s) {
         s.signer = s.other.get();
         s.header["kid"] = s.other->thumbprint();
     },
     {},
     false},
    {"kid_missing", Step::kSignature, "key_unknown", [](Scene& s) { s.header.erase("kid"); }, {}, false},
    {"alg_is_not_the_key_s",
     Step::kSignature,
     "key_algorithm_mismatch",
     [](Scene& s) { s.header["alg"] = "EdDSA"; },
     {},
     false},
    {"two_parts",
     Step::kSignature,
     "token_malformed",
     {},
     [](Scene& s) { s.evidence_token.resize(s.evidence_token.rfind('.')); },
     false},
    {"four_parts",
     Step::kSignature,
     "token_malformed",
     {},
     [](Scene& s) { s.evidence_token += ".AA"; },
     false},
    {"signature_is_not_base64url",
     Step::kSignature,
     "token_malformed",
     {},
     [](Scene& s) { s.evidence_token += "="; },
     false},
    {"signed_by_another",
     Step::kSignature,
     "signature_bad",
     [](Scene& s) { s.signer = s.other.get(); },
     {},
     false},
    {"payload_changed",
     Step::kSignature,
     "signature_bad",
     {},
     [](Scene& s) {
         std::size_t in_payload = s.evidence_token.find('.') + 40;
         s.evidence_token[in_payload] = s.evidence_token[in_payload] == 'A' ? 'B' : 'A';
     },
     false},
    {"short_r",
     Step::kSignature,
     "signature_bad",
     {},
     [](Scene& s) {
         std::size_t last = s.evidence_token.rfind('.') + 1;
         std::string raw = open(s.evidence_token).signature;
         s.evidence_token.replace(last, std::string::npos, jose::base64url(raw.substr(1)));
     },
     false},
    {"payload_is_an_array",
     Step::kSignature,
     "payload_malformed",
     {},
     [](Scene& s) { s.evidence_token = craft(s.header.dump(), "[]", *s.key); },
     false},
    {"payload_names_aud_twice",
     Step::kSignature,
     "payload_malformed",
     {},
     [](Scene& s) {
         s.evidence_token =
             signed_text(s.evidence_token, "{", R"({"aud":"https://evil.example",)", *s.key, false);
     },
     false},
    {"proof_alg_is_not_the_key_s",
     Step::kSignature,
     "key_algorithm_mismatch",
     [](Scene& s) { s.proof_header["alg"] = "EdDSA"; },
     {},
     false},
    {"proof_signed_by_another",
     Step::kSignature,
     "signature_bad",
     [](Scene& s) { s.proof_signer = s.other.get(); },
     {},
     false},
    {"proof_payload_is_no_json",
     Step::kSignature,
     "payload_malformed",
     {},
     [](Scene& s) { s.proof_token = craft(s.proof_header.dump(), "{", *s.key); },
     false},
};

const Wrong kAudienceOnes[] = {
    {"audience_of_another", Step::kAudience, "audience_wrong",
     [](Scene& s) { s.claims["aud"] = "https://other.example"; }},
    {"audience_with_a_slash", Step::kAudience, "audience_wrong",
     [](Scene& s) { s.claims["aud"] = std::string(kAudience) + "/"; }},
    {"audience_is_a_list", Step::kAudience, "audience_wrong",
     [](Scene& s) { s.claims["aud"] = json::array({kAudience}); }},
    {"audience_missing", Step::kAudience, "audience_wrong", [](Scene& s) { s.claims.erase("aud"); }},
    {"audience_empty_on_both_sides", Step::kAudience, "audience_wrong",
     [](Scene& s) { s.claims["aud"] = s.proof["aud"] = s.options.audience = ""; }},
    {"proof_audience_of_another", Step::kAudience, "audience_wrong",
     [](Scene& s) { s.proof["aud"] = "https://other.example"; }},
    {"proof_audience_is_the_evidence_s", Step::kAudience, "audience_wrong",
     [](Scene& s) { s.options.proof_audience = "https://issuer.example"; }},
};

const Wrong kTimesOnes[] = {
    {"iat_missing", Step::kTimes, "times_malformed", [](Scene& s) { s.claims.erase("iat"); }},
    {"iat_is_text", Step::kTimes, "times_malformed",
     [](Scene& s) { s.claims["iat"] = std::to_string(kThen); }},
    {"exp_missing", Step::kTimes, "times_malformed", [](Scene& s) { s.claims.erase("exp"); }},
    {"exp_out_of_range", Step::kTimes, "times_malformed", [](Scene& s) { s.claims["exp"] = 1e300; }},
    {"exp_negative", Step::kTimes, "times_malformed", [](Scene& s) { s.claims["exp"] = -1; }},
    {"nbf_is_null", Step::kTimes, "times_malformed", [](Scene& s) { s.claims["nbf"] = nullptr; }},
    {"iat_in_the_future", Step::kTimes, "not_yet_valid", [](Scene& s) { s.claims["iat"] = kThen + 31; }},
    {"nbf_in_the_future", Step::kTimes, "not_yet_valid", [](Scene& s) { s.claims["nbf"] = kThen + 31; }},
    {"exp_is_over", Step::kTimes, "expired",
     [](Scene& s) { s.claims["iat"] = kThen - 100, s.claims["exp"] = kThen - 30; }},
    {"lives_301_s", Step::kTimes, "lifetime_wrong", [](Scene& s) { s.claims["exp"] = kThen + 301; }},
    {"exp_before_iat", Step::kTimes, "lifetime_wrong",
     [](Scene& s) { s.claims["iat"] = kThen + 10, s.claims["exp"] = kThen + 10; }},
    {"proof_iat_missing", Step::kTimes, "times_malformed", [](Scene& s) { s.proof.erase("iat"); }},
    {"proof_iat_in_the_future", Step::kTimes, "not_yet_valid", [](Scene& s) { s.proof["iat"] = kThen + 31; }},
    {"proof_330_s_old", Step::kTimes, "expired", [](Scene& s) { s.proof["iat"] = kThen - 330; }},
    {"proof_exp_is_over", Step::kTimes, "expired", [](Scene& s) { s.proof["exp"] = kThen - 30; }},
};

const Wrong kChallengeOnes[] = {
    {"nonce_missing", Step::kChallenge, "challenge_missing", [](Scene& s) { s.claims.erase("eat_nonce"); }},
    {"nonce_is_a_list", Step::kChallenge, "challenge_missing",
     [](Scene& s) { s.claims["eat_nonce"] = json::array({s.challenge}); }},
    {"nonce_too_short", Step::kChallenge, "challenge_missing",
     [](Scene& s) { s.claims["eat_nonce"] = s.proof["challenge"] = "1234567"; }},
    {"nonce_too_long", Step::kChallenge, "challenge_missing",
     [](Scene& s) { s.claims["eat_nonce"] = s.proof["challenge"] = std::string(89, 'n'); }},
    {"proof_challenge_missing", Step::kChallenge, "challenge_missing",
     [](Scene& s) { s.proof.erase("challenge"); }},
    {"proof_answers_another", Step::kChallenge, "challenge_mismatch",
     [](Scene& s) { s.proof["challenge"] = s.challenges.issue().value(); }},
    {"never_given_out", Step::kChallenge, "challenge_unknown",
     [](Scene& s) { s.claims["eat_nonce"] = s.proof["challenge"] = std::string(43, 'n'); }},
    {"used_before", Step::kChallenge, "challenge_unknown",
     [](Scene& s) { s.challenges.consume(s.challenge, s.now); }},
    {"given_out_long_ago", Step::kChallenge, "challenge_expired",
     [](Scene& s) {
         s.now += seconds(120);
         s.claims["exp"] = kThen + 240;
         s.options.max_age = seconds(300);
     }},
};

const Wrong kReplayOnes[] = {
    {"jti_missing", Step::kReplay, "jti_malformed", [](Scene& s) { s.claims.erase("jti"); }},
    {"jti_empty", Step::kReplay, "jti_malformed", [](Scene& s) { s.claims["jti"] = ""; }},
    {"jti_is_a_number", Step::kReplay, "jti_malformed", [](Scene& s) { s.claims["jti"] = 7; }},
    {"jti_of_129", Step::kReplay, "jti_malformed", [](Scene& s) { s.claims["jti"] = std::string(129, 'j'); }},
    {"proof_jti_missing", Step::kReplay, "jti_malformed", [](Scene& s) { s.proof.erase("jti"); }},
    {"jti_was_seen", Step::kReplay, "replayed",
     [](Scene& s) {
         ASSERT_TRUE(s.verify());
         s.challenge = s.challenges.issue().value();
         s.claims["eat_nonce"] = s.proof["challenge"] = s.challenge;
         s.proof["jti"] = "another";
     }},
    {"proof_jti_was_seen", Step::kReplay, "replayed",
     [](Scene& s) {
         ASSERT_TRUE(s.verify());
         s.challenge = s.challenges.issue().value();
         s.claims["eat_nonce"] = s.proof["challenge"] = s.challenge;
         s.claims["jti"] = "another";
     }},
    {"replay_store_is_full", Step::kReplay, "replay_store_full",
     [](Scene& s) {
         for (int i = 0; i < 100; ++i) s.replay.remember(std::to_string(i), s.now + seconds(300), s.now);
     }},
};

const Wrong kBindingOnes[] = {
    {"no_proof", Step::kBinding, "proof_missing", [](Scene& s) { s.with_proof = false; }},
    {"iss_of_another", Step::kBinding, "key_binding_wrong",
     [](Scene& s) { s.claims["iss"] = std::string(kThumbprintUrn) + s.other->thumbprint(); }},
    {"iss_missing", Step::kBinding, "key_binding_wrong", [](Scene& s) { s.claims.erase("iss"); }},
    {"cnf_of_another", Step::kBinding, "key_binding_wrong",
     [](Scene& s) { s.claims["cnf"]["jkt"] = s.other->thumbprint(); }},
    {"cnf_missing", Step::kBinding, "key_binding_wrong", [](Scene& s) { s.claims.erase("cnf"); }},
    {"cnf_is_text", Step::kBinding, "key_binding_wrong",
     [](Scene& s) { s.claims["cnf"] = s.key->thumbprint(); }},
    {"proof_kid_of_another", Step::kBinding, "key_binding_wrong",
     [](Scene& s) { s.proof_header["kid"] = s.other->thumbprint(); }},
    {"evidence_was_swapped",
     Step::kBinding,
     "proof_binding_wrong",
     {},
     [](Scene& s) { s.evidence_token = craft(s.header.dump(), s.claims.dump(), *s.key); }},
    {"evh_missing", Step::kBinding, "proof_binding_wrong", [](Scene& s) { s.proof["evh"] = nullptr; }},
};

// Without requirements, so that there is no step behind that would miss the claims.
const Wrong kProfileAndPolicy[] = {
    {"profile_of_another", Step::kProfile, "profile_wrong",
     [](Scene& s) {
         s.claims["eat_profile"] = "tag:reeve,2026:endpoint-posture#2";
         s.options.require.clear();
     }},
    {"profile_missing", Step::kProfile, "profile_wrong",
     [](Scene& s) {
         s.claims.erase("eat_profile");
         s.options.require.clear();
     }},
    {"claims_without_measurements", Step::kProfile, "claims_malformed",
     [](Scene& s) {
         s.claims.erase("measres");
         s.options.require.clear();
     }},
    {"claims_with_another_word", Step::kProfile, "claims_malformed",
     [](Scene& s) {
         s.claims["measres"][0][1][0][1] = "maybe";
         s.options.require.clear();
     }},
    {"claims_with_a_check_twice", Step::kProfile, "claims_malformed",
     [](Scene& s) {
         s.claims["measres"].push_back(s.claims["measres"][0]);
         s.options.require.clear();
     }},
    {"check_is_not_there", Step::kPolicy, "check_missing",
     [](Scene& s) { s.options.require = {"firewall.present"}; }},
    {"check_failed", Step::kPolicy, "check_not_success",
     [](Scene& s) { s.options.require = {"boot.lockdown"}; }},
    {"check_absent", Step::kPolicy, "check_not_success",
     [](Scene& s) { s.options.require = {"edr.crowdstrike"}; }},
    {"check_not_run", Step::kPolicy, "check_not_success",
     [](Scene& s) { s.options.require = {"updates.security"}; }},
    {"collected_long_ago", Step::kPolicy, "collection_stale",
     [](Scene& s) { s.claims["posture"]["collected"]["disk.encrypted"] = kThen - 91; }},
    {"collected_in_the_future", Step::kPolicy, "collection_stale",
     [](Scene& s) { s.claims["posture"]["collected"]["disk.encrypted"] = kThen + 31; }},
};

// All of them, or those for which every other step passes.
std::vector<Wrong> all_wrong(bool only_where_others_pass) {
    std::vector<Wrong> all;
    for (std::span<const Wrong> some :
         {std::span<const Wrong>(kAlgorithmOnes), std::span<const Wrong>(kTypeAndSize),
          std::span<const Wrong>(kSignatureOnes), std::span<const Wrong>(kAudienceOnes),
          std::span<const Wrong>(kTimesOnes), std::span<const Wrong>(kChallengeOnes),
          std::span<const Wrong>(kReplayOnes), std::span<const Wrong>(kBindingOnes),
          std::span<const Wrong>(kProfileAndPolicy)})
        for (const Wrong& one : some)
            if (one.others_pass || !only_where_others_pass) all.push_back(one);
    return all;
}

class Refused : public testing::TestWithParam<Wrong> {};
class RefusedByOneStep : public testing::TestWithParam<Wrong> {};

void prepare(const Wrong& wrong, Scene& scene) {
    if (wrong.spoil) wrong.spoil(scene);
    scene.sign();
    if (wrong.spoil_signed) wrong.spoil_signed(scene);
}

TEST_P(Refused, WithItsStepAndReason) {
    Scene scene;
    prepare(GetParam(), scene);
    auto result = scene.verify_again();
    ASSERT_FALSE(result);
    EXPECT_EQ(result.error().step, GetParam().step) << result.error().text();
    EXPECT_EQ(result.error().reason, GetParam().reason) << result.error().text();
    EXPECT_FALSE(result.error().detail.empty());
    EXPECT_EQ(result.error().checks.empty(), result.error().step != Step::kPolicy);
}

TEST_P(RefusedByOneStep, AndByNoOther) {
    Scene scene;
    prepare(GetParam(), scene);
    std::vector<steps::NumberedStep> others;
    for (const auto& one : steps::all())
        if (one.step != GetParam().step) others.push_back(one);
    KeySet keys({scene.key->public_key()});
    UncheckedReplay replay;  // how long to remember is known from step times alone
    VerifierOptions options = scene.options;
    if (options.proof_audience.empty()) options.proof_audience = options.audience;
    auto appraisal = steps::begin(scene.presented(), options, keys, replay, scene.challenges, scene.now);
    auto objection = steps::run(appraisal, others);
    EXPECT_FALSE(objection) << objection->text();
}

std::string name_of(const testing::TestParamInfo<Wrong>& info) {
    return info.param.name;
}

INSTANTIATE_TEST_SUITE_P(Verifier, Refused, testing::ValuesIn(all_wrong(false)), name_of);
INSTANTIATE_TEST_SUITE_P(Verifier, RefusedByOneStep, testing::ValuesIn(all_wrong(true)), name_of);

}  // namespace
}  // namespace reeve::attestation::tests
