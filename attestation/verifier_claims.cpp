// Steps 7 to 11 of the verifier: the challenge, replay, what is bound to what, the profile and the policy.
#include <algorithm>
#include <array>

#include "attestation/claims_json.hpp"
#include "attestation/jose/base64url.hpp"
#include "attestation/verifier_steps.hpp"

namespace reeve::attestation::steps {

using nlohmann::json;

namespace {

constexpr std::size_t kMaxId = 128;  // characters of a "jti"

// Names by which policies may ask for a check that the claim carries under another area. FORMATS uses both.
constexpr std::array<std::pair<std::string_view, std::string_view>, 1> kOtherAreas{{
    {"firmware.", "boot."},
}};

Objection remember(Appraisal& appraisal, const Token& token) {
    auto id = text_of(token.claims, "jti");
    if (!id || id->empty() || id->size() > kMaxId)
        return no(Step::kReplay, "jti_malformed",
                  std::string(token.what) + ": no \"jti\" of 1 to 128 characters");
    // The key's thumbprint has a fixed length, so that no two keys and ids run together.
    std::string digest = jose::sha256(std::string(token.what) + '\0' + appraisal.key->thumbprint() + *id);
    switch (appraisal.replay.remember(digest, token.until, appraisal.now)) {
        case ReplayState::kNew:
            return {};
        case ReplayState::kSeen:
            return no(Step::kReplay, "replayed",
                      std::string(token.what) + ": \"jti\" " + shown(*id) + " was seen before");
        case ReplayState::kFull:
            break;
    }
    return no(Step::kReplay, "replay_store_full",
              std::string(token.what) + ": there is no room to remember its \"jti\"; try again later");
}

const Check* find(const std::vector<Check>& checks, const std::string& required) {
    auto find_key = [&](const std::string& key) -> const Check* {
        auto it = std::ranges::find(checks, key, &Check::key);
        return it == checks.end() ? nullptr : &*it;
    };
    if (const Check* found = find_key(required)) return found;
    for (auto [other, own] : kOtherAreas)
        if (required.starts_with(other)) return find_key(std::string(own) + required.substr(other.size()));
    return nullptr;
}

// The reason word, and what it was, if a requirement is not met.
std::optional<std::pair<std::string_view, std::string>> unmet(const Appraisal& appraisal,
                                                              const std::string& required) {
    const Check* check = find(appraisal.posture.checks, required);
    if (!check) return {{"check_missing", required + " is not in the evidence"}};
    if (check->outcome != Outcome::kSuccess)
        return {{"check_not_success", required + " is " + std::string(word(check->outcome)) +
                                          (check->reason.empty() ? "" : " (" + check->reason + ")")}};
    const VerifierOptions& options = appraisal.options;
    if (!options.max_age) return {};
    if (!check->collected || *check->collected + *options.max_age < appraisal.now - options.skew)
        return {{"collection_stale", required + " was collected more than " +
                                         std::to_string(options.max_age->count()) + " s ago"}};
    if (*check->collected > appraisal.now + options.skew)
        return {{"collection_stale", required + " was collected in the future"}};
    return {};
}

}  // namespace

Rejection no(Step step, std::string_view reason, std::string detail) {
    return {step, reason, std::move(detail), {}};
}

std::string shown(std::string_view text) {
    constexpr std::size_t kLongest = 80;
    constexpr std::string_view kHex = "0123456789abcdef";
    std::string out = "\"";
    for (char c : text.substr(0, kLongest)) {
        auto byte = static_cast<unsigned char>(c);
        if (byte >= 0x20 && byte < 0x7f && c != '"' && c != '\\')
            out += c;
        else
            out += {'\\', 'x', kHex[byte >> 4], kHex[byte & 15]};
    }
    return out + (text.size() > kLongest ? "…\"" : "\"");
}

std::optional<std::string> text_of(const json& claims, const char* member) {
    auto it = claims.find(member);
    if (it == claims.end() || !it->is_string()) return {};
    return it->get<std::string>();
}

Objection challenge(Appraisal& appraisal) {
    auto nonce = text_of(appraisal.evidence.claims, "eat_nonce");
    if (!nonce || nonce->size() < kMinNonce || nonce->size() > kMaxNonce)
        return no(Step::kChallenge, "challenge_missing",
                  "evidence: no \"eat_nonce\" that is one string of 8 to 88 characters");
    if (appraisal.proof) {
        auto answered = text_of(appraisal.proof->claims, "challenge");
        if (!answered || answered->empty())
            return no(Step::kChallenge, "challenge_missing", "proof: no \"challenge\"");
        if (nonce_of(*answered) != *nonce)
            return no(Step::kChallenge, "challenge_mismatch",
                      "proof: \"challenge\" " + shown(*answered) + " is not the evidence's " + shown(*nonce));
    }
    switch (appraisal.challenges.consume(*nonce, appraisal.now)) {
        case ChallengeState::kFresh:
            return {};
        case ChallengeState::kExpired:
            return no(Step::kChallenge, "challenge_expired",
                      "evidence: " + shown(*nonce) + " was given out too long ago");
        case ChallengeState::kUnknown:
            break;
    }
    return no(Step::kChallenge, "challenge_unknown",
              "evidence: " + shown(*nonce) + " was never given out, or has been used");
}

Objection replay(Appraisal& appraisal) {
    if (auto objection = remember(appraisal, appraisal.evidence)) return objection;
    return appraisal.proof ? remember(appraisal, *appraisal.proof) : std::nullopt;
}

Objection binding(Appraisal& appraisal) {
    auto wrong = [](const std::string& what) {
        return no(Step::kBinding, "key_binding_wrong", what + " does not name the signer");
    };
    const json& claims = appraisal.evidence.claims;
    const std::string& signer = appraisal.key->thumbprint();
    if (!appraisal.proof && appraisal.options.proof == ProofRule::kRequired)
        return no(Step::kBinding, "proof_missing", "there is no proof of possession");
    if (appraisal.evidence.header.key_id != signer) return wrong("evidence: \"kid\"");
    if (text_of(claims, "iss") != std::string(kThumbprintUrn) + signer) return wrong("evidence: \"iss\"");
    auto confirmed = claims.find("cnf");
    if (confirmed == claims.end() || !confirmed->is_object() || text_of(*confirmed, "jkt") != signer)
        return wrong("evidence: \"cnf\"");
    if (!appraisal.proof) return {};
    const Token& proof = *appraisal.proof;
    if (!proof.header.key_id.empty() && proof.header.key_id != signer) return wrong("proof: \"kid\"");
    if (text_of(proof.claims, "evh") != jose::sha256_base64url(appraisal.evidence.compact))
        return no(Step::kBinding, "proof_binding_wrong", "proof: \"evh\" is not the hash of this evidence");
    return {};
}

Objection profile(Appraisal& appraisal) {
    const json& claims = appraisal.evidence.claims;
    if (auto said = text_of(claims, "eat_profile"); said != kEvidenceProfile)
        return no(Step::kProfile, "profile_wrong",
                  "evidence: \"eat_profile\" is " + (said ? shown(*said) : std::string("not a string")) +
                      ", not " + shown(kEvidenceProfile));
    auto posture = from_json(claims);
    if (!posture) return no(Step::kProfile, "claims_malformed", "evidence: " + posture.error().detail);
    appraisal.posture = *std::move(posture);
    return {};
}

Objection policy(Appraisal& appraisal) {
    Objection objection;
    for (const std::string& required : appraisal.options.require) {
        auto why = unmet(appraisal, required);
        if (!why) continue;
        if (objection)
            objection->detail += "; " + why->second;
        else
            objection = no(Step::kPolicy, why->first, "evidence: " + why->second);
        objection->checks.push_back(required + " " + std::string(why->first));
    }
    return objection;
}

}  // namespace reeve::attestation::steps
