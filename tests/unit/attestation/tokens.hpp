// Good tokens and the means to make bad ones, for the tests of attestation/ (unit, interop, fuzz, bench).
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "attestation/evidence.hpp"
#include "attestation/key.hpp"
#include "attestation/proof.hpp"

namespace reeve::attestation::tests {

inline constexpr std::string_view kAudience = "https://broker.example";
inline constexpr Time kNow = std::chrono::sys_days(std::chrono::November / 23 / 2026);

// A clock that stands still at `now`, and OpenSSL's randomness.
Sources sources_at(Time now);

std::unique_ptr<MemoryKey> make_key(jose::Algorithm algorithm = jose::Algorithm::kEs256);

// What a compliant device would say: four areas, an agent, a position in the log.
Claims sample_claims(Time now);

// Any header and any payload, truly signed: text.text.signature.
std::string craft(std::string_view header, std::string_view payload, const Signer& signer);

// The parts of a compact token, decoded; the last is raw.
struct Opened {
    std::string header, payload, signature;
};
Opened open(std::string_view token);

}  // namespace reeve::attestation::tests
