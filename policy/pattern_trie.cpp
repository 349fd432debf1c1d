#include "policy/pattern_trie.hpp"

namespace reeve::policy {

using Kind = PatternTrie::Edge::Kind;

std::uint32_t PatternTrie::new_place(std::uint32_t pattern, Stay stay) {
    const auto id = static_cast<std::uint32_t>(places_.size());
    places_.push_back({.stay = stay, .pattern = pattern});
    return id;
}

void PatternTrie::link(std::uint32_t from, Edge edge) {
    edge.next = places_[from].first_edge;
    places_[from].first_edge = static_cast<std::uint32_t>(edges_.size());
    edges_.push_back(edge);
}

std::uint32_t PatternTrie::by_byte(std::uint32_t from, std::uint8_t byte, std::uint32_t pattern) {
    for (auto e = places_[from].first_edge; e != kNone; e = edges_[e].next) {
        if (edges_[e].kind == Kind::byte && edges_[e].byte == byte) return edges_[e].target;
    }
    const auto target = new_place(pattern);
    link(from,
         {.kind = Kind::byte, .byte = byte, .target = target, .next = kNone, .set = nullptr, .wide = false});
    return target;
}

std::uint32_t PatternTrie::by_set(std::uint32_t from, const glob::ByteSet& set, std::uint32_t pattern) {
    for (auto e = places_[from].first_edge; e != kNone; e = edges_[e].next) {
        // Not the loop of "**/", whose place stays.
        if (edges_[e].kind == Kind::set && places_[edges_[e].target].stay == Stay::no &&
            (edges_[e].set == &set || *edges_[e].set == set)) {
            return edges_[e].target;
        }
    }
    const auto target = new_place(pattern);
    link(from, {.kind = Kind::set,
                .byte = 0,
                .target = target,
                .next = kNone,
                .set = &set,
                .wide = set.count() > 128});
    return target;
}

std::uint32_t PatternTrie::by_nothing(std::uint32_t from, Stay stay, bool directories,
                                      std::uint32_t pattern) {
    for (auto e = places_[from].first_edge; e != kNone; e = edges_[e].next) {
        const auto& target = places_[edges_[e].target];
        if (edges_[e].kind == Kind::nothing && target.stay == stay && target.directories == directories &&
            !target.tail) {
            return edges_[e].target;
        }
    }
    const auto target = new_place(pattern, stay);
    places_[target].directories = directories;
    link(from,
         {.kind = Kind::nothing, .byte = 0, .target = target, .next = kNone, .set = nullptr, .wide = false});
    if (directories) {
        // A component's bytes lead to a place of their own, and its '/' back.
        const auto inside = new_place(pattern, Stay::in_component);
        link(target, {.kind = Kind::set,
                      .byte = 0,
                      .target = inside,
                      .next = kNone,
                      .set = glob::not_slash().get(),
                      .wide = true});
        link(inside, {.kind = Kind::byte,
                      .byte = '/',
                      .target = target,
                      .next = kNone,
                      .set = nullptr,
                      .wide = false});
    }
    return target;
}

// Behind the '/' of an "a/**". Where it began makes no difference any more, so that all patterns of a label
// share it.
std::uint32_t PatternTrie::tail_of(std::uint32_t from, std::uint32_t pattern, Label label) {
    if (tails_.size() <= label) tails_.resize(label + 1, kNone);
    if (tails_[label] == kNone) {
        tails_[label] = new_place(pattern, Stay::anywhere);
        places_[tails_[label]].tail = true;
        accept_at(tails_[label], label);
    }
    const auto target = tails_[label];
    for (auto e = places_[from].first_edge; e != kNone; e = edges_[e].next) {
        if (edges_[e].target == target) return target;
    }
    link(from,
         {.kind = Kind::nothing, .byte = 0, .target = target, .next = kNone, .set = nullptr, .wide = false});
    return target;
}

void PatternTrie::accept_at(std::uint32_t place, Label label) {
    for (auto a = places_[place].first_accept; a != kNone; a = accepts_[a].next) {
        if (accepts_[a].label == label) return;
    }
    accepts_.push_back({.label = label, .next = places_[place].first_accept});
    places_[place].first_accept = static_cast<std::uint32_t>(accepts_.size() - 1);
}

void PatternTrie::pass(std::uint32_t place, Label label) {
    auto& owner = places_[place].owner;
    owner = owner == kNone || owner == label ? label : kMixed;
}

void PatternTrie::add(const glob::Sequence& sequence, std::uint32_t pattern, Label label) {
    std::uint32_t at = kRoot;
    pass(at, label);
    for (const auto& step : sequence.steps) {
        switch (step.kind) {
            case glob::Step::Kind::byte:
                at = by_byte(at, step.byte, pattern);
                break;
            case glob::Step::Kind::set:
                at = by_set(at, *step.set, pattern);
                break;
            case glob::Step::Kind::star:
                at = by_nothing(at, Stay::in_component, false, pattern);
                break;
            case glob::Step::Kind::any:
                at = by_nothing(at, Stay::anywhere, false, pattern);
                break;
            case glob::Step::Kind::directories:
                at = by_nothing(at, Stay::no, true, pattern);
                pass(inside_of(at), label);
                break;
            case glob::Step::Kind::tail:
                accept_at(at, label);
                at = by_byte(at, '/', pattern);
                pass(at, label);
                at = tail_of(at, pattern, label);
                break;
        }
        pass(at, label);
    }
    accept_at(at, label);
}

// The place of the components that "**/" leaves out.
std::uint32_t PatternTrie::inside_of(std::uint32_t directories) const {
    for (auto e = places_[directories].first_edge; e != kNone; e = edges_[e].next) {
        if (edges_[e].kind == Kind::set && places_[edges_[e].target].stay != Stay::no) {
            return edges_[e].target;
        }
    }
    return directories;
}

}  // namespace reeve::policy
