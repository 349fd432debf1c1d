// Public keys as JWK (RFC 7517, RFC 7518 section 6.2, RFC 8037) and their thumbprints (RFC 7638).
//
// Not covered: RSA and symmetric keys never verify anything here; only the thumbprint of an RSA key can be
// computed.
#pragma once

#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "attestation/result.hpp"

using EVP_PKEY = struct evp_pkey_st;

namespace reeve::attestation::jose {

enum class Algorithm { kEs256, kEdDsa };

std::string_view name(Algorithm algorithm);  // "ES256", "EdDSA"

// A P-256 or Ed25519 public key that is known to be on its curve. Immutable, cheap to copy, usable from any
// thread.
class PublicKey {
  public:
    // Members other than the key's own are ignored, as RFC 7517 section 4 says, except that "alg", "use" and
    // "key_ops" must fit where they are there. A private key ("d") is refused: it has no place where public
    // keys are read.
    static Result<PublicKey> from_jwk(std::string_view json);
    // Takes a share of the key; kKey if it is neither P-256 nor Ed25519.
    static Result<PublicKey> from_pkey(std::shared_ptr<EVP_PKEY> pkey);

    // The one algorithm that this key can be used with: P-256 with ES256, Ed25519 with EdDSA.
    Algorithm algorithm() const { return algorithm_; }
    // The required members only, in lexical order and without spaces: what RFC 7638 hashes.
    const std::string& jwk() const { return jwk_; }
    // base64url SHA-256 of jwk(): 43 characters.
    const std::string& thumbprint() const { return thumbprint_; }

    // The signature is raw, as JWS has it: 64 bytes for both algorithms; any other length is refused.
    Status verify(std::string_view bytes, std::string_view signature) const;

  private:
    PublicKey(std::shared_ptr<EVP_PKEY> pkey, Algorithm algorithm, std::string jwk);

    std::shared_ptr<EVP_PKEY> pkey_;
    Algorithm algorithm_;
    std::string jwk_;
    std::string thumbprint_;
};

// RFC 7638, for EC, OKP and RSA keys, from the required members. Does not check that the key is a good one.
Result<std::string> thumbprint(std::string_view jwk);

// The keys of a JWK Set (RFC 7517 section 5), or of a single JWK. Keys that cannot be used here (RSA, other
// curves, use "enc") are left out, as the RFC says; a private key or broken JSON is an error.
Result<std::vector<PublicKey>> parse_jwks(std::string_view json);

}  // namespace reeve::attestation::jose
