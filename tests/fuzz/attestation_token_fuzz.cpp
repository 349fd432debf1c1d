// The verifier on any bytes, in two ways. An input of four lines is evidence and proof before they are signed
// (header, payload, header, payload): it is signed here, so that what is wrong in it reaches all eleven steps. Any
// other input is taken as tokens, keys and options as they come from outside.
#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "attestation/claims_json.hpp"
#include "attestation/jose/base64url.hpp"
#include "attestation/jose/json.hpp"
#include "attestation/verifier.hpp"
#include "tests/unit/attestation/tokens.hpp"
#include "tests/unit/attestation/vectors.hpp"

namespace {

using namespace reeve::attestation;
using namespace reeve::attestation::tests;

constexpr std::string_view kReasons[] = {
    "header_malformed",   "header_critical",
    "algorithm_refused",  "type_wrong",
    "too_large",          "key_unknown",
    "signature_bad",      "key_algorithm_mismatch",
    "token_malformed",    "payload_malformed",
    "audience_wrong",     "times_malformed",
    "not_yet_valid",      "expired",
    "lifetime_wrong",     "challenge_missing",
    "challenge_mismatch", "jti_malformed",
    "proof_missing",      "key_binding_wrong",
    "profile_wrong",      "proof_binding_wrong",
    "claims_malformed",   "check_missing",
    "check_not_success",  "collection_stale",
};

void must(bool holds) {
    if (!holds) std::abort();
}

const MemoryKey& device() {
    static const auto key = MemoryKey::from_private_jwk(kRfc8037PrivateKey).value();
    return *key;
}

const Verifier& verifier() {
    static const KeySet keys({device().public_key()});
    static UncheckedReplay replay;
    static const Verifier one({.audience = std::string(kAudience),
                               .proof = ProofRule::kOptional,
                               .require = {"firmware.secure-boot"},
                               .max_age = std::chrono::seconds(60)},
                              keys, replay, [] { return kNow; });
    return one;
}

// Evidence that was taken is what the header promises of it.
void check_verified(const VerifiedEvidence& verified) {
    const Claims& claims = verified.claims();
    must(check(claims).has_value());
    must(verified.thumbprint() == kRfc8037Thumbprint);
    must(!verified.id().empty() && verified.id().size() <= 128);
    must(verified.expires() > verified.issued() && verified.expires() - verified.issued() <= kMaxLifetime);
    must(verified.expires() > kNow - std::chrono::seconds(30));
    auto payload = jose::parse_object(verified.payload(), jose::kMaxToken);
    must(payload.has_value() && payload->at("aud") == kAudience);
    auto secure = std::ranges::find(claims.checks, "boot.secure-boot", &Check::key);
    auto other = std::ranges::find(claims.checks, "firmware.secure-boot", &Check::key);
    must((other != claims.checks.end() ? other : secure)->outcome == Outcome::kSuccess);
    // What was read can be signed again, and then says the same.
    auto again = from_json(to_json(claims));
    must(again.has_value() && to_json(*again) == to_json(claims));
}

void present(std::string_view evidence, std::optional<std::string_view> proof) {
    UncheckedChallenge any;
    auto result = verifier().verify({evidence, proof}, any);
    if (result) return check_verified(*result);
    const Rejection& why = result.error();
    must(std::ranges::find(kReasons, why.reason) != std::end(kReasons));
    must(!why.detail.empty());
    must(why.checks.empty() == (why.step != Step::kPolicy));
}

std::vector<std::string_view> lines_of(std::string_view text) {
    std::vector<std::string_view> lines;
    for (std::size_t from = 0; from <= text.size();) {
        std::size_t end = std::min(text.find('\n', from), text.size());
        lines.push_back(text.substr(from, end - from));
        from = end + 1;
    }
    return lines;
}

using Lines = std::array<std::string, 4>;

// "EVH" in the proof's payload stands for the hash of the evidence.
void sign_and_present(const Lines& lines) {
    std::string evidence = craft(lines[0], lines[1], device()), payload = lines[3];
    if (std::size_t at = payload.find("EVH"); at != payload.npos)
        payload.replace(at, 3, jose::sha256_base64url(evidence));
    present(evidence, craft(lines[2], payload, device()));
}

const Lines& good_lines() {
    static const Lines good = [] {
        const Sources sources = sources_at(kNow);
        std::string audience(kAudience), challenge = "challenge-1";
        auto evidence =
            open(make_evidence(sample_claims(kNow), {audience, challenge}, device(), sources).value());
        auto proof = open(make_proof({audience, challenge, "x"}, device(), sources).value());
        const std::string hash = jose::sha256_base64url("x");
        proof.payload.replace(proof.payload.find(hash), hash.size(), "EVH");
        return Lines{evidence.header, evidence.payload, proof.header, proof.payload};
    }();
    return good;
}

// All four, and each with three good ones: what is wrong in the first would hide the others.
void sign_and_present(const std::vector<std::string_view>& lines) {
    Lines all;
    std::ranges::copy(lines, all.begin());
    sign_and_present(all);
    for (std::size_t i = 0; i < all.size(); ++i) {
        Lines one = good_lines();
        one[i] = all[i];
        sign_and_present(one);
    }
}

void read_as_it_is(std::string_view text, std::string_view first, std::string_view last) {
    present(text, {});
    present(first, last);
    if (auto bytes = jose::from_base64url(first)) must(jose::base64url(*bytes) == first);
    if (auto object = jose::parse_object(text, 1 << 16)) must(object->is_object());
    if (auto key = jose::PublicKey::from_jwk(text)) {
        must(jose::thumbprint(key->jwk()).value() == key->thumbprint());
        must(key->jwk().find("\"d\"") == std::string::npos);
    }
    if (auto keys = jose::parse_jwks(text))
        for (const auto& key : *keys) must(KeySet(*keys).find(key.thumbprint()).has_value());
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const std::string_view text(reinterpret_cast<const char*>(data), size);
    auto lines = lines_of(text);
    read_as_it_is(text, lines.front(), lines.back());
    if (lines.size() == 4) sign_and_present(lines);
    return 0;
}
