#include "attestation/proof.hpp"

#include <nlohmann/json.hpp>

#include "attestation/jose/base64url.hpp"
#include "attestation/token.hpp"

namespace reeve::attestation {

Result<std::string> make_proof(const ProofRequest& request, const Signer& signer, const Sources& sources) {
    auto claims = common_claims(request.audience, request.challenge, sources);
    if (!claims) return std::unexpected(claims.error());
    (*claims)["challenge"] = request.challenge;
    (*claims)["evh"] = jose::sha256_base64url(request.evidence);
    return sign_claims(*claims, {.type = std::string(kProofType), .key_id = {}}, signer);
}

}  // namespace reeve::attestation
