// base64url without padding (RFC 4648 section 5, RFC 7515 section 2).
#pragma once

#include <string>
#include <string_view>

#include "attestation/result.hpp"

namespace reeve::attestation::jose {

std::string base64url(std::string_view bytes);

// One text for each byte string: padding, white space, other alphabets and set bits behind the last byte are
// refused.
Result<std::string> from_base64url(std::string_view text);

// SHA-256 of the bytes: 32 raw bytes, and the same in base64url (43 characters).
std::string sha256(std::string_view bytes);
std::string sha256_base64url(std::string_view bytes);

}  // namespace reeve::attestation::jose
