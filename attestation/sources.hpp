// Where time and randomness come from. Both are handed in, so that tests own them.
#pragma once

#include <cstddef>
#include <functional>
#include <span>

#include "attestation/result.hpp"

namespace reeve::attestation {

using Clock = std::function<Time()>;
// Fills all of the span with unpredictable bytes, or says that it could not.
using Random = std::function<Status(std::span<std::byte>)>;

struct Sources {
    Clock clock;
    Random random;
};

// The realtime clock and OpenSSL's generator. Callable from any thread.
Sources system_sources();

// A token id: 16 random bytes in base64url, 22 characters.
Result<std::string> random_id(const Random& random);

}  // namespace reeve::attestation
