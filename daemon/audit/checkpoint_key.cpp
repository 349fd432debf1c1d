#include "daemon/audit/checkpoint_key.hpp"

#include <chrono>

#include "attestation/jose/jws.hpp"
#include "daemon/audit/checkpoint.hpp"

namespace reeve::audit {

namespace jose = attestation::jose;

namespace {

// As for evidence (attestation/token.cpp): no device that runs this was made before, so a clock that says so
// has not been set yet, and a signature would vouch for that time.
constexpr std::int64_t kEarliest =
    std::chrono::sys_seconds(std::chrono::sys_days(std::chrono::January / 1 / 2025))
        .time_since_epoch()
        .count();

}  // namespace

Sign sign_with(std::shared_ptr<const attestation::Signer> key) {
    return [key = std::move(key)](const std::string& payload) -> platform::Result<std::string> {
        const auto claims = parse_checkpoint(payload);
        if (!claims || claims->time < kEarliest)
            return platform::error("sign the audit checkpoint", "", "clock_invalid", "set the clock");
        auto compact =
            jose::sign_compact({.type = kCheckpointType, .key_id = key->thumbprint()}, payload, *key);
        if (compact) return std::move(*compact);
        return platform::error("sign the audit checkpoint", "", compact.error().text());
    };
}

CheckSignature check_with(jose::PublicKey key) {
    return [key = std::move(key)](std::string_view compact) -> platform::Result<std::string> {
        constexpr const char* kTried = "verify the audit checkpoint";
        const auto header = jose::read_header(compact);
        if (!header) return platform::error(kTried, "", header.error().text());
        if (header->type != kCheckpointType) {
            return platform::error(kTried, "", "it is another kind of token, \"" + header->type + "\"");
        }
        const jose::Algorithm allowed[] = {key.algorithm()};
        auto payload = jose::verify_compact(compact, allowed, key);
        if (payload) return std::move(*payload);
        return platform::error(kTried, "", payload.error().text());
    };
}

}  // namespace reeve::audit
