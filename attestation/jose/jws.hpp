// JWS in compact form (RFC 7515) with ES256 (RFC 7518 section 3.4) and EdDSA (RFC 8037). Nothing else: no
// "none", no HMAC, no RSA.
//
// Header members that name a key ("jwk", "jku", "x5u", "x5c") are never followed: the caller chooses the key.
// "crit" is refused.
#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <string_view>

#include "attestation/jose/jwk.hpp"
#include "attestation/result.hpp"

namespace reeve::attestation {
class Signer;
}

namespace reeve::attestation::jose {

inline constexpr std::size_t kMaxToken = 8192;   // characters of one compact token
inline constexpr std::size_t kMaxHeader = 1024;  // characters of its first part

struct Header {
    std::string type;    // "typ"; left out if empty
    std::string key_id;  // "kid"; left out if empty
};

// header.payload.signature, with "alg" from the signer. The payload is taken as it stands (any bytes).
// kTooLarge over kMaxToken.
Result<std::string> sign_compact(const Header& header, std::string_view payload, const Signer& signer);

// What a token says of itself; nothing of it is proved.
struct UntrustedHeader {
    std::string algorithm;
    std::string type;    // empty where there is none
    std::string key_id;  // empty where there is none
};

// Reads the first part alone, at most kMaxHeader characters of it, whatever the length of the token.
Result<UntrustedHeader> read_header(std::string_view token);

// Checks, in this order: header, algorithm (on the list and the key's own), size, signature. Gives the
// payload.
Result<std::string> verify_compact(std::string_view token, std::span<const Algorithm> allowed,
                                   const PublicKey& key);

}  // namespace reeve::attestation::jose
