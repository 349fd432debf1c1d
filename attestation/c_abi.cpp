// The C ABI (reeve_attestation.h) over the verifier. Each function stops every exception.
#include <algorithm>
#include <array>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <new>
#include <nlohmann/json.hpp>
#include <utility>

#include "attestation/c_options.hpp"
#include "attestation/claims_json.hpp"
#include "attestation/reeve_attestation.h"
#include "attestation/stores.hpp"
#include "attestation/verifier.hpp"

namespace attestation = reeve::attestation;

namespace {

using nlohmann::json;

constexpr std::size_t kThumbprintSize = 43;

bool is_thumbprint(std::string_view text) {
    return text.size() == kThumbprintSize && std::ranges::all_of(text, [](char c) {
               return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                      c == '-' || c == '_';
           });
}

// The keys of the options, then the caller's own records.
class Keys : public attestation::KeyResolver {
  public:
    Keys(std::vector<attestation::jose::PublicKey> keys, reeve_key_lookup lookup, void* context)
        : fixed_(std::move(keys)), lookup_(lookup), context_(context) {}

    std::optional<attestation::jose::PublicKey> find(std::string_view thumbprint) const override {
        // A "kid" may hold anything, a NUL too; the caller is asked for thumbprints alone.
        if (!is_thumbprint(thumbprint)) return {};
        if (auto key = fixed_.find(thumbprint)) return key;
        if (lookup_ == nullptr) return {};
        std::array<char, 4096> jwk{};
        if (lookup_(context_, std::string(thumbprint).c_str(), jwk.data(), jwk.size()) != 0) return {};
        auto end = std::ranges::find(jwk, '\0');
        if (end == jwk.end()) return {};
        auto key = attestation::jose::PublicKey::from_jwk({jwk.begin(), end});
        if (!key) return {};
        return *std::move(key);
    }

  private:
    attestation::KeySet fixed_;
    reeve_key_lookup lookup_;
    void* context_;
};

// For the caller, who gives it to reeve_string_free().
char* copy_out(std::string_view text) {
    auto* copy = static_cast<char*>(std::malloc(text.size() + 1));
    if (copy == nullptr) throw std::bad_alloc();
    std::memcpy(copy, text.data(), text.size());
    copy[text.size()] = '\0';
    return copy;
}

template <class Work>
int guarded(Work work) noexcept {
    try {
        return work();
    } catch (const std::bad_alloc&) {
        return REEVE_NO_MEMORY;
    } catch (...) {
        return REEVE_INTERNAL;
    }
}

std::string text_of(const attestation::VerifiedEvidence& verified) {
    json result = {{"verified", true},
                   {"thumbprint", verified.thumbprint()},
                   {"jti", verified.id()},
                   {"issued", attestation::write_date(verified.issued())},
                   {"expires", attestation::write_date(verified.expires())},
                   {"proved", verified.proved()}};
    std::string text = result.dump();
    text.back() = ',';  // the payload is JSON already, and stays as it was signed
    return text + "\"claims\":" + verified.payload() + "}";
}

std::string text_of(const attestation::Rejection& rejection) {
    return json{{"verified", false},
                {"step", static_cast<int>(rejection.step)},
                {"name", name(rejection.step)},
                {"reason", rejection.reason},
                {"detail", rejection.detail},
                {"checks", rejection.checks}}
        .dump(-1, ' ', false, json::error_handler_t::replace);
}

}  // namespace

struct reeve_verifier {
    reeve_verifier(attestation::COptions options, reeve_key_lookup lookup, void* context)
        : keys(std::move(options.keys), lookup, context),
          replay(options.replay_capacity),
          challenges(options.challenge_capacity, options.challenge_lifetime, attestation::system_sources()),
          verifier(std::move(options.verifier), keys, replay, attestation::system_sources().clock) {}

    const Keys keys;
    attestation::MemoryReplay replay;
    attestation::MemoryChallenges challenges;
    const attestation::Verifier verifier;
};

int reeve_verifier_new(const char* options, size_t options_size, reeve_key_lookup lookup,
                       void* lookup_context, reeve_verifier** verifier, char** error) {
    if (error != nullptr) *error = nullptr;
    if (verifier == nullptr) return REEVE_BAD_ARGUMENT;
    *verifier = nullptr;
    return guarded([&]() -> int {
        auto refuse = [&](const std::string& why) {
            if (error != nullptr) *error = copy_out(why);
            return REEVE_BAD_ARGUMENT;
        };
        if (options == nullptr) return refuse("there are no options");
        auto read = attestation::read_c_options({options, options_size});
        if (!read) return refuse(read.error().detail);
        if (read->keys.empty() && lookup == nullptr)
            return refuse("there is neither option \"keys\" nor a lookup: no device could be known");
        *verifier = std::make_unique<reeve_verifier>(*std::move(read), lookup, lookup_context).release();
        return REEVE_OK;
    });
}

int reeve_verifier_challenge(reeve_verifier* verifier, char** challenge) {
    if (challenge == nullptr) return REEVE_BAD_ARGUMENT;
    *challenge = nullptr;
    if (verifier == nullptr) return REEVE_BAD_ARGUMENT;
    return guarded([&]() -> int {
        auto issued = verifier->challenges.issue();
        if (!issued)
            return issued.error().fault == attestation::Fault::kTooLarge ? REEVE_BUSY : REEVE_INTERNAL;
        *challenge = copy_out(*issued);
        return REEVE_OK;
    });
}

int reeve_verifier_verify(reeve_verifier* verifier, const char* evidence, size_t evidence_size,
                          const char* proof, size_t proof_size, const char* challenge, size_t challenge_size,
                          char** result) {
    if (result == nullptr) return REEVE_BAD_ARGUMENT;
    *result = nullptr;
    if (verifier == nullptr || evidence == nullptr) return REEVE_BAD_ARGUMENT;
    return guarded([&]() -> int {
        attestation::Presented presented{{evidence, evidence_size}, {}};
        if (proof != nullptr) presented.proof = std::string_view(proof, proof_size);
        std::optional<attestation::ExpectedChallenge> expected;
        if (challenge != nullptr) expected.emplace(std::string_view(challenge, challenge_size));
        auto verified = verifier->verifier.verify(
            presented,
            expected ? static_cast<attestation::ChallengeStore&>(*expected) : verifier->challenges);
        *result = copy_out(verified ? text_of(*verified) : text_of(verified.error()));
        return verified ? REEVE_OK : REEVE_REFUSED;
    });
}

void reeve_verifier_free(reeve_verifier* verifier) {
    delete verifier;
}

void reeve_string_free(char* string) {
    std::free(string);
}

const char* reeve_attestation_version(void) {
    return REEVE_VERSION;
}
