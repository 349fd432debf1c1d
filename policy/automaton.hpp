// From patterns to a deterministic automaton over path bytes.
//
// Patterns share a trie of steps, so that ten thousand names behind one "**/" cost one place in every state
// and not ten thousand. A state of the automaton is a set of places in that trie, made only for the bytes
// that the set speaks of; all other bytes share its default.
//
// The automaton of a policy comes as two parts that walk side by side: patterns that stand somewhere
// ("/usr/**") and patterns that float ("**/.env"). As one, each of a thousand trees would have its own copy
// of everything that floats. What it does not cover: what a rule means (policy/rules.cpp) and how the parts
// are stored (policy/table_writer.hpp).
#pragma once

#include <cstddef>
#include <cstdint>
#include <expected>
#include <functional>
#include <span>
#include <vector>

#include "policy/glob.hpp"

namespace reeve::policy {

// Complete: a byte without an exception leads to the default. Byte 0 is in no path and has no meaning.
struct Automaton {
    struct Exception {
        std::uint8_t byte;
        std::uint32_t target;
    };
    static constexpr std::uint32_t kStart = 0;  // before a path's first '/'

    std::vector<std::uint32_t> default_of;   // by state
    std::vector<std::uint32_t> first;        // by state, one more at the end: its part of `exceptions`
    std::vector<Exception> exceptions;       // sorted by byte within a state
    std::vector<std::uint32_t> accepted_of;  // by state: index into `accepted`
    // The distinct sets of what matches, each sorted; [0] is the empty one. The state after a '/' is no end of
    // a resolved path (but of "/"), and has the set of the state that it leads to by default, so that the
    // inside of a tree is one state.
    struct Accepted {
        std::vector<std::uint32_t> rules;  // a pattern matches and, as far as this part knows, no exception
        std::vector<std::uint32_t> excepted;  // an exception matches; only rules that other parts speak of
        auto operator<=>(const Accepted&) const = default;
    };
    std::vector<Accepted> accepted;

    std::size_t states() const { return default_of.size(); }
    std::span<const Exception> exceptions_of(std::uint32_t state) const {
        return {exceptions.data() + first[state], first[state + 1] - first[state]};
    }
    std::uint32_t next(std::uint32_t state, std::uint8_t byte) const;
};

struct AutomatonBounds {
    std::size_t states = 0;
    std::size_t exceptions = 0;
};

// It became too large. `pattern` has the greatest part in that.
struct TooLarge {
    std::uint32_t pattern = 0;  // an index
    std::size_t states = 0;     // there were at least as many
};

// A rule matches if one of its patterns does and none of its exceptions.
struct RulePattern {
    const glob::Sequence* sequence = nullptr;
    std::uint32_t rule = 0;
    bool except = false;
};
// Whether the first rule, once it matches for good, leaves the second without influence. Then a part need not
// tell whether the second matches too, and stays small where many rules are about trees that float: told
// apart, k of them would make 2^k copies of all that floats.
using MakesIdle = std::function<bool(std::uint32_t, std::uint32_t)>;

// `shared[rule]`: patterns of the rule are in another part as well. `makes_idle` may be empty.
std::expected<Automaton, TooLarge> build_automaton(const std::vector<RulePattern>& patterns,
                                                   const std::vector<bool>& shared,
                                                   const AutomatonBounds& bounds,
                                                   const MakesIdle& makes_idle = {});

// Whether the pattern can begin anywhere: it has a "**" before anything that stands still.
bool floats(const glob::Sequence& sequence);

// The coarsest partition that refines `initial` (a class for each state, below the number of states) and in
// which equal states lead to equal states by every byte. Numbered from 0 in order of the first state.
std::vector<std::uint32_t> refine(const Automaton& automaton, const std::vector<std::uint32_t>& initial);

// One state for each class of `partition`, in the order in which they are reached; classes that are not
// reached from the start are left out. `partition` must be one that refine() gave, and finer than
// accepted_of.
Automaton quotient(const Automaton& automaton, const std::vector<std::uint32_t>& partition);

}  // namespace reeve::policy
