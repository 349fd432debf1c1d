// Proof of possession: the key that signed the evidence answers the same challenge and names the evidence by
// its hash (draft-ietf-oauth-attestation-based-client-auth-10, plus "evh"; FORMATS, "Attestation").
#pragma once

#include <string>
#include <string_view>

#include "attestation/key.hpp"
#include "attestation/result.hpp"
#include "attestation/sources.hpp"

namespace reeve::attestation {

inline constexpr std::string_view kProofType = "oauth-client-attestation-pop+jwt";

struct ProofRequest {
    std::string audience;   // the server's issuer
    std::string challenge;  // as the server gave it
    std::string evidence;   // the compact evidence, byte for byte as it is sent
};

// kClock if the clock is before 2025.
Result<std::string> make_proof(const ProofRequest& request, const Signer& signer, const Sources& sources);

}  // namespace reeve::attestation
