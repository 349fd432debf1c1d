// Posture evidence: what the probes found, signed by the device key for one audience and one challenge
// (FORMATS, "Attestation"; an EAT, RFC 9711). Not covered: whether the claims are true. Evidence says what
// this device's software measured.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "attestation/key.hpp"
#include "attestation/result.hpp"
#include "attestation/sources.hpp"

namespace reeve::attestation {

inline constexpr std::string_view kEvidenceType = "reeve-evidence+jwt";
inline constexpr std::string_view kEvidenceProfile = "tag:reeve,2026:endpoint-posture#1";
inline constexpr std::string_view kThumbprintUrn = "urn:ietf:params:oauth:jwk-thumbprint:sha-256:";
inline constexpr std::chrono::seconds kMinLifetime{60};
inline constexpr std::chrono::seconds kMaxLifetime{300};
inline constexpr std::size_t kMinNonce = 8;  // characters of an "eat_nonce" (RFC 9711 section 4.1)
inline constexpr std::size_t kMaxNonce = 88;

enum class Outcome { kSuccess, kFail, kNotRun, kAbsent };

std::string_view word(Outcome outcome);  // "success", "fail", "not-run", "absent"
std::optional<Outcome> outcome(std::string_view word);

// One measured fact. area and name are of [a-z0-9-], at most 64 characters; together "area.name".
struct Check {
    std::string area;
    std::string name;
    Outcome outcome = Outcome::kNotRun;
    std::string reason{};  // a reason word of FORMATS; empty for none; a check that was not run must have one
    std::optional<Time> collected{};  // when; must be there for success and fail

    std::string key() const { return area + "." + name; }
};

struct AgentClaim {
    std::string id;
    std::string sha256;  // lower-case hex
    std::string trust;   // how it was trusted: "package", "sha256", "signer"
};

struct AuditClaim {
    std::uint64_t seq = 0;
    std::string chain;  // lower-case hex SHA-256
};

struct Claims {
    std::string session;        // empty: evidence about the device alone ("sub" is "device")
    std::string boot_seed;      // raw bytes that are new at each boot, 16 to 64 of them (RFC 9711 "bootseed")
    std::uint64_t uptime = 0;   // seconds since boot
    std::string version;        // Reeve's own: "1.0.0"
    std::vector<Check> checks;  // each "area.name" once; order is kept, areas are grouped
    std::string policy;         // "<id>@<version>"
    std::string policy_sha256;  // lower-case hex
    std::optional<AgentClaim> agent;
    std::optional<AuditClaim> audit;
};

struct EvidenceRequest {
    std::string audience;                // the broker's URL, compared byte for byte
    std::string challenge;               // as the broker gave it; 1 to 1024 bytes
    std::chrono::seconds lifetime{120};  // kMinLifetime to kMaxLifetime
};

// What "eat_nonce" holds for a challenge: itself if it has 8 to 88 characters, else the base64url SHA-256 of
// it.
std::string nonce_of(std::string_view challenge);

// The signed token. kArgument names the claim that is out of its bounds; kClock if the clock is before 2025
// (nothing is signed).
Result<std::string> make_evidence(const Claims& claims, const EvidenceRequest& request, const Signer& signer,
                                  const Sources& sources);

}  // namespace reeve::attestation
