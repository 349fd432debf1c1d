// A posture as claims for evidence (attestation/evidence.hpp; FORMATS, "Attestation").
#pragma once

#include <cstdint>
#include <string>

#include "attestation/evidence.hpp"
#include "daemon/posture/collector.hpp"

namespace reeve::posture {

struct Boot {
    std::string seed;          // 32 bytes that are new at each boot, and do not give the boot id away
    std::uint64_t uptime = 0;  // seconds
};
platform::Result<Boot> boot_of(const platform::posture::FileSystem& files);

// The checks as evidence carries them. The walls of the self-test that held, or that were not tried, are left
// out: "sandbox.self-test" stands for them, and tokens have to stay small.
std::vector<attestation::Check> claimed(const Posture& posture);

}  // namespace reeve::posture
