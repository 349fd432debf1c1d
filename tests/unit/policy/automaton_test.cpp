// The automaton against the slow matcher, on many random policies; and that it is minimal.
#include "policy/automaton.hpp"

#include <gtest/gtest.h>

#include <map>
#include <set>

#include "tests/unit/policy/engine_support.hpp"

namespace reeve::policy {
namespace {

std::uint32_t walk(const Automaton& automaton, std::string_view path) {
    auto state = Automaton::kStart;
    for (const char c : path) state = automaton.next(state, static_cast<std::uint8_t>(c));
    return state;
}

struct RandomRules {
    std::vector<std::vector<glob::Sequence>> paths, excepts;  // by rule
    std::vector<RulePattern> patterns() const {
        std::vector<RulePattern> all;
        for (std::uint32_t r = 0; r < paths.size(); ++r) {
            for (const auto& sequence : paths[r]) all.push_back({&sequence, r, false});
            for (const auto& sequence : excepts[r]) all.push_back({&sequence, r, true});
        }
        return all;
    }
    std::vector<std::uint32_t> matching(std::string_view path) const {
        std::vector<std::uint32_t> rules;
        const auto matches = [&](const glob::Sequence& sequence) { return sequence.matches(path); };
        for (std::uint32_t r = 0; r < paths.size(); ++r) {
            if (std::ranges::any_of(paths[r], matches) && std::ranges::none_of(excepts[r], matches))
                rules.push_back(r);
        }
        return rules;
    }
};

void append(const std::string& text, std::vector<glob::Sequence>& to) {
    const auto sequences = glob::expand(text, {});
    to.insert(to.end(), sequences->begin(), sequences->end());
}

RandomRules random_rules(Dice& dice) {
    RandomRules rules;
    for (unsigned n = 1 + dice.below(6); n > 0; --n) {
        auto& paths = rules.paths.emplace_back();
        auto& excepts = rules.excepts.emplace_back();
        for (const auto& text : dice.patterns(1, 3)) {
            append(text.text, paths);
        }
        for (const auto& text : dice.patterns(0, 2)) {
            append(text.text, excepts);
        }
    }
    return rules;
}

const std::vector<bool> kUnshared(5000);
constexpr AutomatonBounds kBounds{.states = 100'000, .exceptions = 1'000'000};

TEST(Automaton, DecidesAsTheSlowMatcherDoes) {
    Dice dice(1);
    for (int round = 0; round < 400; ++round) {
        const auto rules = random_rules(dice);
        const auto automaton = build_automaton(rules.patterns(), kUnshared, kBounds);
        ASSERT_TRUE(automaton) << automaton.error().states;
        const auto minimal = quotient(*automaton, refine(*automaton, automaton->accepted_of));
        ASSERT_LE(minimal.states(), automaton->states());
        for (int i = 0; i < 100; ++i) {
            const auto path = dice.path();
            const auto expected = rules.matching(path);
            ASSERT_EQ(automaton->accepted[automaton->accepted_of[walk(*automaton, path)]].rules, expected)
                << "round " << round << " " << path;
            ASSERT_EQ(minimal.accepted[minimal.accepted_of[walk(minimal, path)]].rules, expected)
                << "minimised, round " << round << " " << path;
        }
    }
}

// Moore's algorithm, byte by byte: as slow as it is plain.
std::size_t classes_by_moore(const Automaton& automaton) {
    std::vector<std::uint32_t> classes = automaton.accepted_of;
    for (std::size_t count = 0;;) {
        std::map<std::vector<std::uint32_t>, std::uint32_t> numbers;
        std::vector<std::uint32_t> next;
        for (std::uint32_t s = 0; s < automaton.states(); ++s) {
            std::vector<std::uint32_t> signature{classes[s]};
            for (unsigned byte = 1; byte < 256; ++byte) {
                signature.push_back(classes[automaton.next(s, static_cast<std::uint8_t>(byte))]);
            }
            next.push_back(
                numbers.try_emplace(signature, static_cast<std::uint32_t>(numbers.size())).first->second);
        }
        classes = next;
        if (numbers.size() == count) return count;
        count = numbers.size();
    }
}

TEST(Automaton, RefinementFindsThePartitionThatMooreFinds) {
    Dice dice(2);
    for (int round = 0; round < 60; ++round) {
        const auto rules = random_rules(dice);
        const auto automaton = build_automaton(rules.patterns(), kUnshared, kBounds);
        ASSERT_TRUE(automaton);
        if (automaton->states() > 300) continue;
        const auto partition = refine(*automaton, automaton->accepted_of);
        const std::set<std::uint32_t> distinct(partition.begin(), partition.end());
        EXPECT_EQ(distinct.size(), classes_by_moore(*automaton)) << "round " << round;
    }
}

// Without a byte that no pattern names, no class of states can be told by its default.
TEST(Automaton, RefinementNeedsNoUnusedByte) {
    std::vector<glob::Sequence> sequences;
    for (unsigned byte = 1; byte < 256; ++byte) {
        if (byte == '/') continue;
        glob::Sequence sequence;
        sequence.steps.push_back({.kind = glob::Step::Kind::byte, .byte = '/', .set = {}});
        sequence.steps.push_back(
            {.kind = glob::Step::Kind::byte, .byte = static_cast<std::uint8_t>(byte), .set = {}});
        sequence.steps.push_back({.kind = glob::Step::Kind::tail, .byte = 0, .set = {}});
        sequences.push_back(sequence);
    }
    std::vector<RulePattern> patterns;
    for (const auto& sequence : sequences) patterns.push_back({&sequence, 0, false});
    const auto automaton = build_automaton(patterns, kUnshared, kBounds);
    ASSERT_TRUE(automaton);
    const auto partition = refine(*automaton, automaton->accepted_of);
    const std::set<std::uint32_t> distinct(partition.begin(), partition.end());
    EXPECT_EQ(distinct.size(), classes_by_moore(*automaton));
}

TEST(Automaton, StaysSmallWhereRulesAreMany) {
    std::vector<glob::Sequence> sequences;
    for (int i = 0; i < 2000; ++i) {
        sequences.push_back(glob::expand("**/name-" + std::to_string(i) + "/**", {})->front());
        sequences.push_back(glob::expand("/srv/data/" + std::to_string(i) + "/**", {})->front());
    }
    std::vector<RulePattern> patterns;
    for (const auto& sequence : sequences) patterns.push_back({&sequence, 0, false});
    const auto automaton = build_automaton(patterns, kUnshared, kBounds);
    ASSERT_TRUE(automaton);
    EXPECT_LT(automaton->states(), 20'000U);
}

TEST(Automaton, OverItsBoundItNamesThePattern) {
    std::vector<glob::Sequence> sequences;
    for (const char* text : {"/usr/**", "**/*a????????????????????", "/etc/**", "**/.env"}) {
        sequences.push_back(glob::expand(text, {})->front());
    }
    std::vector<RulePattern> patterns;
    for (std::uint32_t i = 0; i < sequences.size(); ++i) patterns.push_back({&sequences[i], i, false});
    const auto automaton = build_automaton(patterns, kUnshared, {.states = 5000, .exceptions = 1'000'000});
    ASSERT_FALSE(automaton);
    EXPECT_EQ(automaton.error().pattern, 1U);
    EXPECT_EQ(automaton.error().states, 5000U);
    EXPECT_FALSE(build_automaton(patterns, kUnshared, {.states = 1'000'000, .exceptions = 2000}));
}

}  // namespace
}  // namespace reeve::policy
