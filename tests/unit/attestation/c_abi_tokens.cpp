#include "tests/unit/attestation/c_abi_tokens.h"

#include <cstring>
#include <stdexcept>

#include "tests/unit/attestation/tokens.hpp"

namespace attestation = reeve::attestation;

namespace {

const attestation::MemoryKey& device() {
    static const auto key = attestation::tests::make_key();
    return *key;
}

}  // namespace

struct test_tokens test_tokens_make(const char* challenge) {
    auto sources = attestation::system_sources();
    const std::string audience(attestation::tests::kAudience);
    auto evidence = attestation::make_evidence(attestation::tests::sample_claims(sources.clock()),
                                               {audience, challenge}, device(), sources);
    auto proof = attestation::make_proof({audience, challenge, evidence.value()}, device(), sources);
    return {strdup(evidence->c_str()), strdup(proof.value().c_str())};
}

const char* test_jwk(void) {
    return device().public_key().jwk().c_str();
}

const char* test_thumbprint(void) {
    return device().thumbprint().c_str();
}

int test_throwing_lookup(void*, const char*, char*, size_t) {
    throw std::runtime_error("the database is gone");
}
