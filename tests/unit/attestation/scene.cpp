#include "tests/unit/attestation/scene.hpp"

#include "attestation/jose/base64url.hpp"

namespace reeve::attestation::tests {

using nlohmann::json;

Scene::Scene(jose::Algorithm algorithm)
    : key(make_key(algorithm)),
      other(make_key(algorithm)),
      signer(key.get()),
      proof_signer(key.get()),
      challenges(4, std::chrono::seconds(120), {[this] { return now; }, system_sources().random}),
      challenge(challenges.issue().value()),
      options{.audience = std::string(kAudience),
              .require = {"disk.encrypted", "firmware.secure-boot"},
              .max_age = std::chrono::seconds(60)} {
    auto made = make_evidence(sample_claims(now), {std::string(kAudience), challenge}, *key, sources_at(now));
    auto proved = make_proof({std::string(kAudience), challenge, *made}, *key, sources_at(now));
    header = json::parse(open(*made).header);
    claims = json::parse(open(*made).payload);
    proof_header = json::parse(open(*proved).header);
    proof = json::parse(open(*proved).payload);
    proof.erase("evh");
}

void Scene::sign() {
    evidence_token = craft(header.dump(), claims.dump(), *signer);
    json answer = proof;
    if (!answer.contains("evh")) answer["evh"] = jose::sha256_base64url(evidence_token);
    proof_token = craft(proof_header.dump(), answer.dump(), *proof_signer);
}

Presented Scene::presented() const {
    Presented both{evidence_token, {}};
    if (with_proof) both.proof = proof_token;
    return both;
}

std::expected<VerifiedEvidence, Rejection> Scene::verify() {
    sign();
    return verify_again();
}

std::expected<VerifiedEvidence, Rejection> Scene::verify_again() {
    KeySet keys({key->public_key()});
    return Verifier(options, keys, replay, [this] { return now; }).verify(presented(), challenges);
}

}  // namespace reeve::attestation::tests
