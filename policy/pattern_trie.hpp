// The nondeterministic automaton that build_automaton() starts from: patterns, with what they have in common
// at their beginnings merged.
#pragma once

#include <cstdint>
#include <vector>

#include "policy/glob.hpp"

namespace reeve::policy {

class PatternTrie {
  public:
    static constexpr std::uint32_t kNone = 0xFFFF'FFFF;
    static constexpr std::uint32_t kRoot = 0;
    enum class Stay : std::uint8_t { no, in_component, anywhere };  // bytes that lead from a place to itself

    // Patterns of one rule, or exceptions of one rule, mean the same when they match.
    using Label = std::uint32_t;
    static constexpr Label kMixed = 0xFFFF'FFFE;

    struct Place {
        Stay stay = Stay::no;
        bool directories = false;  // the place behind "**/"
        bool tail = false;         // matches for good: whatever follows
        std::uint32_t first_edge = kNone;
        std::uint32_t first_accept = kNone;
        std::uint32_t pattern = 0;  // that made it
        Label owner = kNone;        // of all patterns that go through here, or kMixed
    };
    struct Edge {
        enum class Kind : std::uint8_t { byte, set, nothing } kind;
        std::uint8_t byte;
        std::uint32_t target;
        std::uint32_t next;        // of the same place
        const glob::ByteSet* set;  // of set
        bool wide;                 // of set: most bytes are in it
    };
    struct Accept {
        Label label;
        std::uint32_t next;
    };

    PatternTrie() { places_.emplace_back(); }
    void add(const glob::Sequence& sequence, std::uint32_t pattern, Label label);

    std::size_t size() const { return places_.size(); }
    const Place& place(std::uint32_t id) const { return places_[id]; }
    const Edge& edge(std::uint32_t id) const { return edges_[id]; }
    const Accept& accept(std::uint32_t id) const { return accepts_[id]; }

  private:
    std::uint32_t new_place(std::uint32_t pattern, Stay stay = Stay::no);
    void link(std::uint32_t from, Edge edge);
    std::uint32_t by_byte(std::uint32_t from, std::uint8_t byte, std::uint32_t pattern);
    std::uint32_t by_set(std::uint32_t from, const glob::ByteSet& set, std::uint32_t pattern);
    std::uint32_t by_nothing(std::uint32_t from, Stay stay, bool directories, std::uint32_t pattern);
    std::uint32_t tail_of(std::uint32_t from, std::uint32_t pattern, Label label);
    std::uint32_t inside_of(std::uint32_t directories) const;
    void pass(std::uint32_t place, Label label);
    void accept_at(std::uint32_t place, Label label);

    std::vector<Place> places_;
    std::vector<Edge> edges_;
    std::vector<Accept> accepts_;
    std::vector<std::uint32_t> tails_;  // by label: one place for all of its tails
};

}  // namespace reeve::policy
