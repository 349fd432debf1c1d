#include <nlohmann/json.hpp>

#include "attestation/jose/json.hpp"
#include "attestation/jose/jwk_pkey.hpp"
#include "attestation/jose/signature.hpp"
#include "attestation/key.hpp"

namespace reeve::attestation {

MemoryKey::MemoryKey(std::shared_ptr<EVP_PKEY> pkey, jose::PublicKey key)
    : pkey_(std::move(pkey)), public_(std::move(key)) {}

Result<std::unique_ptr<MemoryKey>> MemoryKey::generate(jose::Algorithm algorithm) {
    auto pkey = share(algorithm == jose::Algorithm::kEs256 ? EVP_EC_gen("P-256")
                                                           : EVP_PKEY_Q_keygen(nullptr, nullptr, "ED25519"));
    if (!pkey) return fail(Fault::kRandom, "OpenSSL makes no key");
    auto key = jose::PublicKey::from_pkey(pkey);
    if (!key) return std::unexpected(key.error());
    return std::unique_ptr<MemoryKey>(new MemoryKey(std::move(pkey), *std::move(key)));
}

Result<std::unique_ptr<MemoryKey>> MemoryKey::from_private_jwk(std::string_view json) {
    auto jwk = jose::parse_object(json, jose::kMaxJwk);
    if (!jwk) return std::unexpected(jwk.error());
    auto pkey = jose::pkey_of(*jwk, jose::Half::kPrivate);
    if (!pkey) return std::unexpected(pkey.error());
    auto key = jose::PublicKey::from_pkey(*pkey);
    if (!key) return std::unexpected(key.error());
    return std::unique_ptr<MemoryKey>(new MemoryKey(*std::move(pkey), *std::move(key)));
}

Result<std::string> MemoryKey::sign(std::string_view bytes) const {
    return jose::sign_raw(pkey_.get(), algorithm(), bytes);
}

}  // namespace reeve::attestation
