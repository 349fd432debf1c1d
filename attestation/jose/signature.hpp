// Raw JWS signatures by OpenSSL. For the .cpp files of attestation/ alone.
#pragma once

#include <string>
#include <string_view>

#include "attestation/jose/jwk.hpp"

namespace reeve::attestation::jose {

inline constexpr std::size_t kSignatureSize =
    64;  // ES256: r and s, 32 bytes each; Ed25519: as RFC 8032 has it

Result<std::string> sign_raw(EVP_PKEY* pkey, Algorithm algorithm, std::string_view bytes);
Status verify_raw(EVP_PKEY* pkey, Algorithm algorithm, std::string_view bytes, std::string_view signature);

}  // namespace reeve::attestation::jose
