// What evidence and proof have in common. For the .cpp files of attestation/ alone.
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>
#include <string_view>

#include "attestation/jose/jws.hpp"
#include "attestation/sources.hpp"

namespace reeve::attestation {

// "aud", "iat" and "jti", after a check of audience, challenge and clock.
Result<nlohmann::json> common_claims(std::string_view audience, std::string_view challenge,
                                     const Sources& sources);

// kArgument if a claim is not UTF-8.
Result<std::string> sign_claims(const nlohmann::json& claims, const jose::Header& header,
                                const Signer& signer);

}  // namespace reeve::attestation
