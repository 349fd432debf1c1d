// Evidence signed and verified a second, beside what OpenSSL needs for the bare P-256 signatures in the same run.
// The rounds of all benchmarks are interleaved; medians; the ratios come last.
//
// usage: attestation_bench [Google Benchmark's options]
#include <benchmark/benchmark.h>
#include <openssl/evp.h>

#include <cstdio>
#include <map>
#include <string>
#include <vector>

#include "attestation/openssl.hpp"
#include "attestation/stores.hpp"
#include "attestation/verifier.hpp"
#include "tests/unit/attestation/tokens.hpp"

namespace {

using namespace reeve::attestation;
using namespace reeve::attestation::tests;

// A device, what it has to say, and one good presentation.
struct Device {
    std::unique_ptr<MemoryKey> key = make_key();
    Sources sources = sources_at(kNow);
    Claims claims = sample_claims(kNow);
    EvidenceRequest request{std::string(kAudience), "a challenge of 43 characters, as brokers do"};
    std::string evidence = make_evidence(claims, request, *key, sources).value();
    ProofRequest proof_request{request.audience, request.challenge, evidence};
    std::string proof = make_proof(proof_request, *key, sources).value();
};

const Device& device() {
    static const Device one;
    return one;
}

// OpenSSL alone, over as many bytes as evidence signs.
struct Bare {
    std::shared_ptr<EVP_PKEY> pkey = share(EVP_EC_gen("P-256"));
    std::string text = device().evidence.substr(0, device().evidence.rfind('.'));
    std::string signature = sign();

    std::string sign() const {
        DigestContext context(EVP_MD_CTX_new());
        std::string out(80, '\0');
        std::size_t size = out.size();
        EVP_DigestSignInit(context.get(), nullptr, EVP_sha256(), nullptr, pkey.get());
        EVP_DigestSign(context.get(), reinterpret_cast<unsigned char*>(out.data()), &size,
                       unsigned_bytes(text), text.size());
        out.resize(size);
        return out;
    }
    bool verify() const {
        DigestContext context(EVP_MD_CTX_new());
        EVP_DigestVerifyInit(context.get(), nullptr, EVP_sha256(), nullptr, pkey.get());
        return EVP_DigestVerify(context.get(), unsigned_bytes(signature), signature.size(),
                                unsigned_bytes(text), text.size()) == 1;
    }
};

void openssl_sign(benchmark::State& state) {
    const Bare bare;
    for (auto _ : state) benchmark::DoNotOptimize(bare.sign());
    state.SetItemsProcessed(state.iterations());
}

void openssl_verify(benchmark::State& state) {
    const Bare bare;
    for (auto _ : state)
        if (!bare.verify()) state.SkipWithError("does not verify");
    state.SetItemsProcessed(state.iterations());
}

void sign_evidence(benchmark::State& state) {
    const Device& d = device();
    for (auto _ : state)
        if (!make_evidence(d.claims, d.request, *d.key, d.sources)) state.SkipWithError("not signed");
    state.SetItemsProcessed(state.iterations());
}

void sign_evidence_and_proof(benchmark::State& state) {
    const Device& d = device();
    for (auto _ : state) {
        auto evidence = make_evidence(d.claims, d.request, *d.key, d.sources);
        if (!make_proof({d.request.audience, d.request.challenge, *evidence}, *d.key, d.sources))
            state.SkipWithError("not signed");
    }
    state.SetItemsProcessed(state.iterations());
}

// The whole of the eleven steps. The stores are left out: they have a row of their own.
void verify(benchmark::State& state, bool with_proof) {
    const Device& d = device();
    KeySet keys({d.key->public_key()});
    UncheckedReplay replay;
    UncheckedChallenge challenges;
    const Verifier verifier({.audience = std::string(kAudience),
                             .proof = ProofRule::kOptional,
                             .require = {"disk.encrypted", "firmware.secure-boot"},
                             .max_age = std::chrono::seconds(60)},
                            keys, replay, d.sources.clock);
    Presented presented{d.evidence, {}};
    if (with_proof) presented.proof = d.proof;
    for (auto _ : state)
        if (!verifier.verify(presented, challenges)) state.SkipWithError("does not verify");
    state.SetItemsProcessed(state.iterations());
}

void verify_evidence(benchmark::State& state) {
    verify(state, false);
}

void verify_evidence_and_proof(benchmark::State& state) {
    verify(state, true);
}

// A challenge given out and used up, and two ids remembered, among 100,000 that are there.
void stores(benchmark::State& state) {
    constexpr std::uint32_t kThere = 100'000;
    Time now = kNow;
    MemoryReplay replay(10'000'000);
    MemoryChallenges challenges(10, std::chrono::seconds(60), sources_at(kNow));
    std::uint64_t number = 0;
    auto remember = [&] {
        std::string id(32, '\0');
        ++number;
        std::snprintf(id.data(), id.size(), "%016lx",
                      static_cast<unsigned long>(number * 0x9e3779b97f4a7c15U));
        return replay.remember(id, now + std::chrono::milliseconds(kThere / 2), now);
    };
    for (auto _ : state) {
        // Two ids a millisecond, and each runs out after as many milliseconds as keep the number there steady.
        now += std::chrono::milliseconds(1);
        auto challenge = challenges.issue();
        if (challenges.consume(*challenge, kNow) != ChallengeState::kFresh ||
            remember() != ReplayState::kNew || remember() != ReplayState::kNew)
            state.SkipWithError("refused");
    }
    state.SetItemsProcessed(state.iterations());
}

BENCHMARK(openssl_sign);
BENCHMARK(sign_evidence);
BENCHMARK(sign_evidence_and_proof);
BENCHMARK(openssl_verify);
BENCHMARK(verify_evidence);
BENCHMARK(verify_evidence_and_proof);
BENCHMARK(stores);

// Google Benchmark's table, and then the medians of CPU time as ratios.
class Ratios : public benchmark::ConsoleReporter {
  public:
    Ratios() : ConsoleReporter(OO_Tabular) {}
    void ReportRuns(const std::vector<Run>& runs) override {
        ConsoleReporter::ReportRuns(runs);
        for (const Run& run : runs)
            if (run.aggregate_name == "median")
                medians_[run.run_name.function_name] = run.GetAdjustedCPUTime();
    }
    void print() const {
        line("sign_evidence", "openssl_sign", 1);
        line("sign_evidence_and_proof", "openssl_sign", 2);
        line("verify_evidence", "openssl_verify", 1);
        line("verify_evidence_and_proof", "openssl_verify", 2);
    }

  private:
    void line(const char* ours, const char* bare, int signatures) const {
        auto a = medians_.find(ours), b = medians_.find(bare);
        if (a == medians_.end() || b == medians_.end()) return;
        std::printf("%-26s %8.0f a second, %.2f of %d x %s\n", ours, 1e9 / a->second,
                    a->second / (signatures * b->second), signatures, bare);
    }
    std::map<std::string, double> medians_;
};

}  // namespace

int main(int argc, char** argv) {
    std::vector<std::string> words = {argv[0], "--benchmark_enable_random_interleaving=true",
                                      "--benchmark_repetitions=9", "--benchmark_min_time=0.05",
                                      "--benchmark_report_aggregates_only=true"};
    words.insert(words.end(), argv + 1, argv + argc);
    std::vector<char*> pointers;
    for (auto& word : words) pointers.push_back(word.data());
    int count = static_cast<int>(pointers.size());
    benchmark::Initialize(&count, pointers.data());
    if (benchmark::ReportUnrecognizedArguments(count, pointers.data())) return 2;
    Ratios reporter;
    benchmark::RunSpecifiedBenchmarks(&reporter);
    reporter.print();
    benchmark::Shutdown();
}
