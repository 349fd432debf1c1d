// The verifier of posture evidence and its proof of possession: eleven steps in one fixed order, and the
// first that fails is the result. At each step the evidence is judged before the proof. Only the verifier
// makes a VerifiedEvidence.
//
// clang-format off
//  step  name       what is checked                                                     reasons
//   1    algorithm  the header (at most 1 kB of it) is strict JSON without "crit",      header_malformed header_critical
//                   "alg" is on the list                                                algorithm_refused
//   2    type       "typ" is reeve-evidence+jwt, or that of the proof                   type_wrong
//   3    size       evidence and proof are under 8 kB together                          too_large
//   4    signature  "kid" names a known key, "alg" fits it, both signatures are its,    key_unknown key_algorithm_mismatch
//                   both payloads are strict JSON objects                               token_malformed signature_bad
//                                                                                       payload_malformed
//   5    audience   "aud" is one string, equal byte for byte                            audience_wrong
//   6    times      "iat" and "exp" (and "nbf") are NumericDates, now is between them   times_malformed not_yet_valid expired
//                   (skew allowed), "exp" is at most 300 s after "iat"; a proof's       lifetime_wrong
//                   "iat" is at most 300 s old
//   7    challenge  "eat_nonce" and the proof's "challenge" are one challenge, which    challenge_missing challenge_mismatch
//                   was given out, has not expired, and is used up now                  challenge_unknown challenge_expired
//   8    replay     neither "jti" was seen before from this key                         jti_malformed replayed
//                                                                                       replay_store_full
//   9    binding    there is a proof where one is asked for; "kid", "iss" and "cnf"     proof_missing key_binding_wrong
//                   name the signer; "evh" is the hash of this very evidence            proof_binding_wrong
//  10    profile    "eat_profile" is ours, and the claims have its form                 profile_wrong claims_malformed
//  11    policy     each required check is success and was collected in time            check_missing check_not_success
//                                                                                       collection_stale
// clang-format on
//
// Nothing behind the header is looked at before the size is checked, and nothing of the payload before the
// signature is.
#pragma once

#include <chrono>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "attestation/evidence.hpp"
#include "attestation/jose/jws.hpp"
#include "attestation/proof.hpp"
#include "attestation/stores.hpp"

namespace reeve::attestation {

enum class Step {
    kAlgorithm = 1,
    kType,
    kSize,
    kSignature,
    kAudience,
    kTimes,
    kChallenge,
    kReplay,
    kBinding,
    kProfile,
    kPolicy,
};

std::string_view name(Step step);  // "algorithm", "type", …

struct Rejection {
    Step step;
    std::string_view reason;  // a word of the table above
    std::string detail;       // a phrase for people: which token, which member, what it was
    // At step policy: every requirement that is not met, "disk.encrypted check_not_success".
    std::vector<std::string> checks{};

    std::string text() const;  // "step 5, audience: audience_wrong: <detail>"
};

// Finds the key that a token's "kid" (a thumbprint) names. Usable from any thread.
class KeyResolver {
  public:
    virtual ~KeyResolver() = default;
    virtual std::optional<jose::PublicKey> find(std::string_view thumbprint) const = 0;
};

// A fixed set of keys, from a JWK Set or a single JWK.
class KeySet : public KeyResolver {
  public:
    explicit KeySet(std::vector<jose::PublicKey> keys);
    static Result<KeySet> from_json(std::string_view jwks);  // kKey if no usable key is in it
    std::optional<jose::PublicKey> find(std::string_view thumbprint) const override;

  private:
    std::vector<jose::PublicKey> keys_;  // in the order of their thumbprints
};

inline constexpr std::chrono::seconds kMaxSkew{300};

enum class ProofRule { kRequired, kOptional };

struct VerifierOptions {
    std::string audience;          // of the evidence; empty: nothing verifies
    std::string proof_audience{};  // of the proof; empty: the same
    ProofRule proof = ProofRule::kRequired;
    std::chrono::seconds skew{30};  // 0 to kMaxSkew (held to that), both ways
    // "area.check" words that must be success; not-run and absent are not. "firmware.X" also finds "boot.X".
    std::vector<std::string> require{};
    // Of the collection of each required check; 0 s to 366 days (held to that).
    std::optional<std::chrono::seconds> max_age{};
    // What "alg" may be.
    std::vector<jose::Algorithm> algorithms{jose::Algorithm::kEs256, jose::Algorithm::kEdDsa};
};

// Evidence that has passed every step.
class VerifiedEvidence {
  public:
    const Claims& claims() const { return claims_; }
    const std::string& thumbprint() const { return thumbprint_; }  // of the device key
    const std::string& id() const { return id_; }                  // "jti"
    Time issued() const { return issued_; }
    Time expires() const { return expires_; }
    bool proved() const { return proved_; }                  // a proof of possession was there and holds
    const std::string& payload() const { return payload_; }  // the JSON that was signed

  private:
    friend class Verifier;
    VerifiedEvidence() = default;

    Claims claims_;
    std::string thumbprint_, id_, payload_;
    Time issued_, expires_;
    bool proved_ = false;
};

struct Presented {
    std::string_view evidence;
    std::optional<std::string_view> proof;
};

// Usable from any thread. Borrows the resolver and the replay store, which must outlive it.
class Verifier {
  public:
    Verifier(VerifierOptions options, const KeyResolver& keys, ReplayStore& replay, Clock clock);

    // Uses the challenge up in step 7 (unless evidence and proof disagree on it), and the token ids in step 8,
    // whatever comes after.
    std::expected<VerifiedEvidence, Rejection> verify(const Presented& presented,
                                                      ChallengeStore& challenges) const;

  private:
    VerifierOptions options_;
    const KeyResolver& keys_;
    ReplayStore& replay_;
    Clock clock_;
};

}  // namespace reeve::attestation
