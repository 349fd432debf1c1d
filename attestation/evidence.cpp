#include "attestation/evidence.hpp"

#include <array>
#include <nlohmann/json.hpp>

#include "attestation/claims_json.hpp"
#include "attestation/jose/base64url.hpp"
#include "attestation/jose/jws.hpp"
#include "attestation/token.hpp"

namespace reeve::attestation {

namespace {

constexpr std::array<std::pair<Outcome, std::string_view>, 4> kOutcomes{{
    {Outcome::kSuccess, "success"},
    {Outcome::kFail, "fail"},
    {Outcome::kNotRun, "not-run"},
    {Outcome::kAbsent, "absent"},
}};

}  // namespace

std::string_view word(Outcome outcome) {
    return kOutcomes[static_cast<std::size_t>(outcome)].second;
}

std::optional<Outcome> outcome(std::string_view word) {
    for (auto [value, text] : kOutcomes)
        if (text == word) return value;
    return {};
}

std::string nonce_of(std::string_view challenge) {
    bool fits = challenge.size() >= kMinNonce && challenge.size() <= kMaxNonce;
    return fits ? std::string(challenge) : jose::sha256_base64url(challenge);
}

Result<std::string> make_evidence(const Claims& claims, const EvidenceRequest& request, const Signer& signer,
                                  const Sources& sources) {
    if (auto good = check(claims); !good) return std::unexpected(good.error());
    if (request.lifetime < kMinLifetime || request.lifetime > kMaxLifetime)
        return fail(Fault::kArgument, "the lifetime is not of 60 to 300 s");
    auto payload = common_claims(request.audience, request.challenge, sources);
    if (!payload) return std::unexpected(payload.error());
    payload->update(to_json(claims));
    payload->update({
        {"iss", std::string(kThumbprintUrn) + signer.thumbprint()},
        {"exp", payload->at("iat").get<std::int64_t>() + request.lifetime.count()},
        {"eat_profile", kEvidenceProfile},
        {"eat_nonce", nonce_of(request.challenge)},
        {"cnf", {{"jkt", signer.thumbprint()}}},
    });
    return sign_claims(*payload, {.type = std::string(kEvidenceType), .key_id = signer.thumbprint()}, signer);
}

}  // namespace reeve::attestation
