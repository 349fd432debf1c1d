// The options of reeve_verifier_new, from JSON. For the C ABI alone.
#pragma once

#include <chrono>
#include <cstddef>
#include <string_view>
#include <vector>

#include "attestation/verifier.hpp"

namespace reeve::attestation {

struct COptions {
    VerifierOptions verifier;
    std::vector<jose::PublicKey> keys;
    std::size_t replay_capacity = 1'000'000;
    std::size_t challenge_capacity = 100'000;
    std::chrono::seconds challenge_lifetime{120};
};

// Everything that is not in the table of reeve_attestation.h is refused: an option with a slip in its name
// would be one that does not hold. kMalformed for the JSON, kArgument for an option, kKey for the keys.
Result<COptions> read_c_options(std::string_view json);

}  // namespace reeve::attestation
