// The order of the steps, and those that look at the tokens' outside (1 to 4) and at whom and when they are
// for (5 and 6).
#include "attestation/verifier_steps.hpp"

#include <algorithm>
#include <array>

#include "attestation/claims_json.hpp"
#include "attestation/jose/json.hpp"

namespace reeve::attestation::steps {

using nlohmann::json;

namespace {

// Calls `judge` with the evidence, then with the proof where there is one.
template <class Judge>
Objection each(Appraisal& appraisal, Judge judge) {
    if (auto objection = judge(appraisal.evidence)) return objection;
    return appraisal.proof ? judge(*appraisal.proof) : std::nullopt;
}

Objection read_header(const VerifierOptions& options, Token& token) {
    auto header = jose::read_header(token.compact);
    if (!header) {
        bool critical = header.error().fault == Fault::kCritical;
        return no(Step::kAlgorithm, critical ? "header_critical" : "header_malformed",
                  std::string(token.what) + ": " + header.error().detail);
    }
    token.header = *std::move(header);
    auto is_its = [&](jose::Algorithm one) { return jose::name(one) == token.header.algorithm; };
    if (std::ranges::none_of(options.algorithms, is_its))
        return no(Step::kAlgorithm, "algorithm_refused",
                  std::string(token.what) + ": \"alg\" is " + shown(token.header.algorithm));
    return {};
}

Objection check_signature(const Appraisal& appraisal, Token& token) {
    const std::string what = token.what;
    if (token.header.algorithm != jose::name(appraisal.key->algorithm()))
        return no(Step::kSignature, "key_algorithm_mismatch",
                  what + ": \"alg\" is " + shown(token.header.algorithm) + ", the key is for " +
                      std::string(jose::name(appraisal.key->algorithm())));
    auto payload = jose::verify_compact(token.compact, appraisal.options.algorithms, *appraisal.key);
    if (!payload) {
        bool bad = payload.error().fault == Fault::kSignature;
        return no(Step::kSignature, bad ? "signature_bad" : "token_malformed",
                  what + ": " + payload.error().detail);
    }
    auto claims = jose::parse_object(*payload, jose::kMaxToken);
    if (!claims)
        return no(Step::kSignature, "payload_malformed", what + ": the payload is " + claims.error().detail);
    token.payload = *std::move(payload);
    token.claims = *std::move(claims);
    return {};
}

Objection check_audience(Token& token, const std::string& wanted) {
    auto audience = text_of(token.claims, "aud");
    if (audience && !audience->empty() && *audience == wanted) return {};
    return no(Step::kAudience, "audience_wrong",
              std::string(token.what) + ": \"aud\" is " +
                  (audience ? shown(*audience) : std::string("not one string")) + ", not " + shown(wanted));
}

std::string seconds(Time time) {
    return std::to_string(write_date(time));
}

// "iat", and where they are there, "nbf" and "exp", hold now. Sets when the token runs out by its own words.
Objection check_dates(const Appraisal& appraisal, const Token& token, std::optional<Time>& issued,
                      std::optional<Time>& expires) {
    auto refused = [&](std::string_view reason, const std::string& why) {
        return no(Step::kTimes, reason, std::string(token.what) + ": " + why);
    };
    issued = read_date(token.claims, "iat");
    expires = read_date(token.claims, "exp");
    auto before = read_date(token.claims, "nbf");
    for (auto [member, read] :
         {std::pair("iat", &issued), std::pair("exp", &expires), std::pair("nbf", &before)})
        if (!*read && token.claims.contains(member))
            return refused("times_malformed", std::string("\"") + member + "\" is no NumericDate");
    if (!issued) return refused("times_malformed", "there is no \"iat\"");
    const Time now = appraisal.now, latest = now + appraisal.options.skew;
    if (Time from = std::max(*issued, before.value_or(*issued)); from > latest)
        return refused("not_yet_valid", "it holds from " + seconds(from) + " on, and now is " + seconds(now));
    if (expires && *expires <= now - appraisal.options.skew)
        return refused("expired", "\"exp\" is " + seconds(*expires) + ", and now is " + seconds(now));
    return {};
}

Objection check_evidence_times(Appraisal& appraisal) {
    Token& token = appraisal.evidence;
    std::optional<Time> issued, expires;
    if (auto objection = check_dates(appraisal, token, issued, expires)) return objection;
    if (!expires) return no(Step::kTimes, "times_malformed", "evidence: there is no \"exp\"");
    if (*expires <= *issued || *expires - *issued > kMaxLifetime)
        return no(Step::kTimes, "lifetime_wrong",
                  "evidence: from " + seconds(*issued) + " to " + seconds(*expires) + ", not of 1 to 300 s");
    appraisal.issued = *issued;
    appraisal.expires = *expires;
    token.until = *expires + appraisal.options.skew;
    return {};
}

Objection check_proof_times(const Appraisal& appraisal, Token& token) {
    std::optional<Time> issued, expires;
    if (auto objection = check_dates(appraisal, token, issued, expires)) return objection;
    token.until = *issued + kMaxLifetime + appraisal.options.skew;
    if (token.until <= appraisal.now)
        return no(
            Step::kTimes, "expired",
            "proof: \"iat\" is " + seconds(*issued) + ", more than 300 s before " + seconds(appraisal.now));
    return {};
}

}  // namespace

Appraisal begin(const Presented& presented, const VerifierOptions& options, const KeyResolver& keys,
                ReplayStore& replay, ChallengeStore& challenges, Time now) {
    Appraisal appraisal{.options = options,
                        .keys = keys,
                        .replay = replay,
                        .challenges = challenges,
                        .now = now,
                        .evidence = {"evidence", kEvidenceType, presented.evidence},
                        .proof = {}};
    if (presented.proof) appraisal.proof = Token{"proof", kProofType, *presented.proof};
    return appraisal;
}

std::span<const NumberedStep> all() {
    static constexpr std::array<NumberedStep, 11> kAll{{
        {Step::kAlgorithm, algorithm},
        {Step::kType, type},
        {Step::kSize, size},
        {Step::kSignature, signature},
        {Step::kAudience, audience},
        {Step::kTimes, times},
        {Step::kChallenge, challenge},
        {Step::kReplay, replay},
        {Step::kBinding, binding},
        {Step::kProfile, profile},
        {Step::kPolicy, policy},
    }};
    return kAll;
}

Objection run(Appraisal& appraisal, std::span<const NumberedStep> steps) {
    for (const NumberedStep& one : steps)
        if (auto objection = one.passes(appraisal)) return objection;
    return {};
}

Objection algorithm(Appraisal& appraisal) {
    return each(appraisal, [&](Token& token) { return read_header(appraisal.options, token); });
}

Objection type(Appraisal& appraisal) {
    return each(appraisal, [](Token& token) -> Objection {
        if (token.header.type == token.type) return {};
        return no(Step::kType, "type_wrong",
                  std::string(token.what) + ": \"typ\" is " + shown(token.header.type) + ", not " +
                      shown(token.type));
    });
}

Objection size(Appraisal& appraisal) {
    std::size_t together = appraisal.evidence.compact.size();
    if (appraisal.proof) together += appraisal.proof->compact.size();
    if (together < jose::kMaxToken) return {};
    return no(Step::kSize, "too_large",
              "evidence and proof have " + std::to_string(together) + " characters together, not under " +
                  std::to_string(jose::kMaxToken));
}

Objection signature(Appraisal& appraisal) {
    const std::string& named = appraisal.evidence.header.key_id;
    appraisal.key = appraisal.keys.find(named);
    if (!appraisal.key)
        return no(Step::kSignature, "key_unknown", "evidence: no key is known as \"kid\" " + shown(named));
    return each(appraisal, [&](Token& token) { return check_signature(appraisal, token); });
}

Objection audience(Appraisal& appraisal) {
    return each(appraisal, [&](Token& token) {
        const VerifierOptions& options = appraisal.options;
        return check_audience(token,
                              &token == &appraisal.evidence ? options.audience : options.proof_audience);
    });
}

Objection times(Appraisal& appraisal) {
    if (auto objection = check_evidence_times(appraisal)) return objection;
    return appraisal.proof ? check_proof_times(appraisal, *appraisal.proof) : std::nullopt;
}

}  // namespace reeve::attestation::steps
