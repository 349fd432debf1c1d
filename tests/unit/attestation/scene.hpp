// A good presentation (evidence and proof that make_evidence and make_proof made) that a test changes in one
// respect and signs again, and a verifier for it.
#pragma once

#include <memory>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>

#include "attestation/stores.hpp"
#include "attestation/verifier.hpp"
#include "tests/unit/attestation/tokens.hpp"

namespace reeve::attestation::tests {

struct Scene {
    explicit Scene(jose::Algorithm algorithm = jose::Algorithm::kEs256);

    // Signs what the members say. "evh" is set to the hash of the evidence unless the test has set another.
    void sign();
    Presented presented() const;
    // Signs, and verifies by a Verifier.
    std::expected<VerifiedEvidence, Rejection> verify();
    std::expected<VerifiedEvidence, Rejection> verify_again();  // the same bytes

    Time now = kNow;
    std::unique_ptr<MemoryKey> key, other;  // of the device; of somebody else
    const Signer *signer, *proof_signer;    // key, unless a test says otherwise
    MemoryChallenges challenges;
    std::string challenge;
    MemoryReplay replay{100};
    VerifierOptions options;
    bool with_proof = true;
    nlohmann::json header, claims, proof_header, proof;
    // What is presented; a test may change it after sign().
    std::string evidence_token, proof_token;
};

}  // namespace reeve::attestation::tests
