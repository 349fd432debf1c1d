#include "tests/unit/attestation/tokens.hpp"

#include <cstdio>
#include <cstdlib>

#include "attestation/jose/base64url.hpp"

namespace reeve::attestation::tests {

namespace {

template <class T>
T must(Result<T> result) {
    if (result) return *std::move(result);
    std::fprintf(stderr, "test tokens: %s\n", result.error().text().c_str());
    std::abort();
}

}  // namespace

Sources sources_at(Time now) {
    return {[now] { return now; }, system_sources().random};
}

std::unique_ptr<MemoryKey> make_key(jose::Algorithm algorithm) {
    return must(MemoryKey::generate(algorithm));
}

Claims sample_claims(Time now) {
    Time collected = now - std::chrono::seconds(20);
    return {
        .session = "01JDQ4M2Z9",
        .boot_seed = std::string(32, '\x5a'),
        .uptime = 84211,
        .version = "1.0.0",
        .checks = {{"boot", "secure-boot", Outcome::kSuccess, {}, collected},
                   {"disk", "encrypted", Outcome::kSuccess, {}, collected},
                   {"boot", "lockdown", Outcome::kFail, "value_none", collected},
                   {"edr", "crowdstrike", Outcome::kAbsent, "not_installed", {}},
                   {"updates", "security", Outcome::kNotRun, "timeout", {}}},
        .policy = "acme-desktop@12",
        .policy_sha256 = std::string(64, 'a'),
        .agent = AgentClaim{"cowork", std::string(64, 'b'), "signer"},
        .audit = AuditClaim{41872, std::string(64, 'c')},
    };
}

std::string craft(std::string_view header, std::string_view payload, const Signer& signer) {
    std::string token = jose::base64url(header) + "." + jose::base64url(payload);
    return token + "." + jose::base64url(must(signer.sign(token)));
}

Opened open(std::string_view token) {
    std::size_t first = token.find('.'), second = token.find('.', first + 1);
    return {must(jose::from_base64url(token.substr(0, first))),
            must(jose::from_base64url(token.substr(first + 1, second - first - 1))),
            must(jose::from_base64url(token.substr(second + 1)))};
}

}  // namespace reeve::attestation::tests
