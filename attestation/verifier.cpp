#include "attestation/verifier.hpp"

#include <algorithm>

#include "attestation/verifier_steps.hpp"

namespace reeve::attestation {

namespace {

constexpr std::chrono::seconds kMaxMaxAge = std::chrono::days(366);  // far from where sums overflow

}  // namespace

std::string_view name(Step step) {
    switch (step) {
        case Step::kAlgorithm:
            return "algorithm";
        case Step::kType:
            return "type";
        case Step::kSize:
            return "size";
        case Step::kSignature:
            return "signature";
        case Step::kAudience:
            return "audience";
        case Step::kTimes:
            return "times";
        case Step::kChallenge:
            return "challenge";
        case Step::kReplay:
            return "replay";
        case Step::kBinding:
            return "binding";
        case Step::kProfile:
            return "profile";
        case Step::kPolicy:
            return "policy";
    }
    return "unknown";
}

std::string Rejection::text() const {
    return "step " + std::to_string(static_cast<int>(step)) + ", " + std::string(name(step)) + ": " +
           std::string(reason) + ": " + detail;
}

KeySet::KeySet(std::vector<jose::PublicKey> keys) : keys_(std::move(keys)) {
    std::ranges::sort(keys_, {}, &jose::PublicKey::thumbprint);
}

Result<KeySet> KeySet::from_json(std::string_view jwks) {
    auto keys = jose::parse_jwks(jwks);
    if (!keys) return std::unexpected(keys.error());
    if (keys->empty()) return fail(Fault::kKey, "no P-256 or Ed25519 key is in the JWK Set");
    return KeySet(*std::move(keys));
}

std::optional<jose::PublicKey> KeySet::find(std::string_view thumbprint) const {
    auto it = std::ranges::lower_bound(keys_, thumbprint, {}, &jose::PublicKey::thumbprint);
    if (it == keys_.end() || it->thumbprint() != thumbprint) return {};
    return *it;
}

Verifier::Verifier(VerifierOptions options, const KeyResolver& keys, ReplayStore& replay, Clock clock)
    : options_(std::move(options)), keys_(keys), replay_(replay), clock_(std::move(clock)) {
    options_.skew = std::clamp(options_.skew, std::chrono::seconds(0), kMaxSkew);
    if (options_.max_age)
        options_.max_age = std::clamp(*options_.max_age, std::chrono::seconds(0), kMaxMaxAge);
    if (options_.proof_audience.empty()) options_.proof_audience = options_.audience;
}

std::expected<VerifiedEvidence, Rejection> Verifier::verify(const Presented& presented,
                                                            ChallengeStore& challenges) const {
    auto appraisal = steps::begin(presented, options_, keys_, replay_, challenges, clock_());
    if (auto objection = steps::run(appraisal, steps::all())) return std::unexpected(*std::move(objection));
    VerifiedEvidence verified;
    verified.claims_ = std::move(appraisal.posture);
    verified.thumbprint_ = appraisal.key->thumbprint();
    verified.id_ = *steps::text_of(appraisal.evidence.claims, "jti");
    verified.payload_ = std::move(appraisal.evidence.payload);
    verified.issued_ = appraisal.issued;
    verified.expires_ = appraisal.expires;
    verified.proved_ = appraisal.proof.has_value();
    return verified;
}

}  // namespace reeve::attestation
