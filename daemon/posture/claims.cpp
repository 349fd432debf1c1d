#include "daemon/posture/claims.hpp"

#include <algorithm>

#include "attestation/jose/base64url.hpp"
#include "platform/linux/posture/checks.hpp"
#include "platform/linux/posture/walls.hpp"

namespace reeve::posture {
namespace {

using platform::Result;

attestation::Outcome outcome_of(Word word) {
    switch (word) {
        case Word::kSuccess:
            return attestation::Outcome::kSuccess;
        case Word::kFail:
            return attestation::Outcome::kFail;
        case Word::kAbsent:
            return attestation::Outcome::kAbsent;
        case Word::kNotRun:
            break;
    }
    return attestation::Outcome::kNotRun;
}

bool is_closed_wall(const Check& check) {
    return check.area == "sandbox" && check.word != Word::kFail &&
           std::ranges::find(platform::posture::kWalls, check.name) != platform::posture::kWalls.end();
}

}  // namespace

Result<Boot> boot_of(const platform::posture::FileSystem& files) {
    using platform::posture::trim;
    const std::string kBootId = "/proc/sys/kernel/random/boot_id";
    const auto id = files.read(kBootId);
    if (!id) return std::unexpected(id.error());
    if (trim(*id).size() != 36) return platform::posture::malformed(kBootId, "it is no UUID");
    const auto uptime = files.read("/proc/uptime");
    if (!uptime) return std::unexpected(uptime.error());
    // "84211.53 321.00": whole seconds are enough.
    const auto seconds = platform::posture::number("/proc/uptime", uptime->substr(0, uptime->find('.')));
    if (!seconds) return std::unexpected(seconds.error());

    return Boot{.seed = attestation::jose::sha256("reeve-bootseed" + std::string(trim(*id))),
                .uptime = *seconds};
}

std::vector<attestation::Check> claimed(const Posture& posture) {
    std::vector<attestation::Check> claims;
    for (const auto& check : posture.checks) {
        if (is_closed_wall(check)) continue;
        claims.push_back({.area = check.area,
                          .name = check.name,
                          .outcome = outcome_of(check.word),
                          .reason = check.reason,
                          .collected = attestation::Time(std::chrono::seconds(check.collected))});
    }
    return claims;
}

}  // namespace reeve::posture
