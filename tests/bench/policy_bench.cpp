// What a decision costs with 10, 1,000 and 10,000 rules, and what it costs to compile them and the vendor's
// policy.
#include <benchmark/benchmark.h>

#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <iterator>
#include <string>
#include <vector>

#include "policy/engine.hpp"
#include "policy/zones.hpp"

namespace {

using namespace reeve::policy;

const Variables kAlice{.home = "/home/alice",
                       .workspace = "/home/alice/work/project",
                       .user = "alice",
                       .session = "01JD",
                       .tmp = "/tmp"};

// Rules as people write them: mostly folders and files, some names anywhere.
std::vector<Layer> layers_of(std::int64_t rules) {
    Document document;
    document.file = "bench.jsonc";
    document.id = "bench";
    const auto add = [&](Verdict verdict, std::string path) {
        FileRule rule;
        rule.verdict = verdict;
        rule.actions = bit(FileAction::read) | bit(FileAction::list);
        rule.named = rule.actions;
        rule.paths.push_back({std::move(path), {1, 1}});
        document.files.push_back(std::move(rule));
    };
    add(Verdict::allow, "${workspace}/**");
    add(Verdict::allow, "/usr/**");
    for (std::int64_t i = 2; i < rules; ++i) {
        const auto n = std::to_string(i);
        switch (i % 5) {
            case 0:
                add(Verdict::deny, "**/secret-" + n);
                break;
            case 1:
                add(Verdict::deny, "${workspace}/data-" + n + "/*.key");
                break;
            case 2:
                add(Verdict::ask, "${home}/Documents/" + n + "/**");
                break;
            default:
                add(Verdict::allow, "/srv/share-" + n + "/projects/**");
        }
    }
    return {{Authority::vendor, std::move(document)}};
}

Policy must_compile(const std::vector<Layer>& layers) {
    auto policy = compile(layers, kAlice, kUnverified);
    if (!policy) {
        std::fprintf(stderr, "%s\n", to_string(policy.error()).c_str());
        std::exit(1);
    }
    return std::move(*policy);
}

std::vector<Layer> vendor_layers() {
    std::ifstream file(REEVE_POLICIES "/vendor.jsonc", std::ios::binary);
    const std::string text{std::istreambuf_iterator<char>(file), {}};
    auto document = parse_document(text, "vendor.jsonc");
    if (!document) {
        std::fprintf(stderr, "%s\n", to_string(document.error()).c_str());
        std::exit(1);
    }
    return {{Authority::vendor, std::move(*document)}};
}

// 65 bytes, as long as paths in source trees are.
constexpr std::string_view kPath = "/home/alice/work/project/src/engine/render/pipeline/shader_io.cpp";

void decide(benchmark::State& state) {
    const auto policy = must_compile(layers_of(state.range(0)));
    for (auto _ : state) benchmark::DoNotOptimize(policy.decide(kPath, FileAction::read));
    state.counters["states"] = static_cast<double>(policy.table().states());
}
BENCHMARK(decide)->Arg(10)->Arg(1000)->Arg(10'000);

void decide_vendor(benchmark::State& state) {
    const auto policy = must_compile(vendor_layers());
    for (auto _ : state) benchmark::DoNotOptimize(policy.decide(kPath, FileAction::read));
}
BENCHMARK(decide_vendor);

void compile_rules(benchmark::State& state) {
    const auto layers = layers_of(state.range(0));
    for (auto _ : state) benchmark::DoNotOptimize(must_compile(layers).table_bytes().size());
}
BENCHMARK(compile_rules)->Arg(10)->Arg(1000)->Arg(10'000)->Unit(benchmark::kMillisecond);

void parse_vendor(benchmark::State& state) {
    for (auto _ : state) benchmark::DoNotOptimize(vendor_layers().size());
}
BENCHMARK(parse_vendor)->Unit(benchmark::kMillisecond);

void compile_vendor(benchmark::State& state) {
    const auto layers = vendor_layers();
    std::size_t bytes = 0, states = 0;
    for (auto _ : state) {
        const auto policy = must_compile(layers);
        bytes = policy.table_bytes().size();
        states = policy.table().states();
    }
    state.counters["bytes"] = static_cast<double>(bytes);
    state.counters["states"] = static_cast<double>(states);
}
BENCHMARK(compile_vendor)->Unit(benchmark::kMillisecond);

void open_vendor(benchmark::State& state) {
    const auto policy = must_compile(vendor_layers());
    for (auto _ : state) benchmark::DoNotOptimize(Table::open(policy.table_bytes()));
}
BENCHMARK(open_vendor)->Unit(benchmark::kMillisecond);

void zones_of_vendor(benchmark::State& state) {
    const auto policy = must_compile(vendor_layers());
    for (auto _ : state) benchmark::DoNotOptimize(plan_zones(policy).grants.size());
}
BENCHMARK(zones_of_vendor)->Unit(benchmark::kMillisecond);

}  // namespace

BENCHMARK_MAIN();
