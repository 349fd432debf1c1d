#include "attestation/token.hpp"

#include <nlohmann/json.hpp>

#include "attestation/claims_json.hpp"

namespace reeve::attestation {

namespace {

using nlohmann::json;

// No device that runs this was made before; a clock that says so has not been set yet.
constexpr Time kEarliest = std::chrono::sys_days(std::chrono::January / 1 / 2025);

}  // namespace

Result<json> common_claims(std::string_view audience, std::string_view challenge, const Sources& sources) {
    if (audience.empty() || audience.size() > 512)
        return fail(Fault::kArgument, "no audience of 1 to 512 bytes");
    if (challenge.empty() || challenge.size() > 1024)
        return fail(Fault::kArgument, "no challenge of 1 to 1024 bytes");
    Time now = sources.clock();
    if (now < kEarliest) return fail(Fault::kClock, "the clock is before 2025");
    auto id = random_id(sources.random);
    if (!id) return std::unexpected(id.error());
    return json{{"aud", audience}, {"iat", write_date(now)}, {"jti", *std::move(id)}};
}

Result<std::string> sign_claims(const json& claims, const jose::Header& header, const Signer& signer) {
    try {
        return jose::sign_compact(header, claims.dump(), signer);
    } catch (const json::exception&) {
        return fail(Fault::kArgument, "a claim is not UTF-8");
    }
}

}  // namespace reeve::attestation
