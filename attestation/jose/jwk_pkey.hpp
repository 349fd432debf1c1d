// JWK members to OpenSSL keys. For the .cpp files of attestation/ alone.
#pragma once

#include <memory>
#include <nlohmann/json_fwd.hpp>

#include "attestation/openssl.hpp"
#include "attestation/result.hpp"

namespace reeve::attestation::jose {

inline constexpr std::size_t kMaxJwk = 4096;      // bytes of one JWK
inline constexpr std::size_t kMaxJwks = 1 << 20;  // bytes of a JWK Set: some 8,000 keys

enum class Half { kPublic, kPrivate };

// A P-256 or Ed25519 key from its members, checked to be a good one; with its private half if that is asked
// for.
Result<std::shared_ptr<EVP_PKEY>> pkey_of(const nlohmann::json& jwk, Half half);

}  // namespace reeve::attestation::jose
