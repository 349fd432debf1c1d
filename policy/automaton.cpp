#include "policy/automaton.hpp"

#include <algorithm>
#include <map>
#include <optional>

#include "policy/pattern_trie.hpp"

namespace reeve::policy {
namespace {

using Set = std::vector<std::uint32_t>;

std::uint64_t hash_of(std::span<const std::uint32_t> set) {
    std::uint64_t hash = 0x9E37'79B9'7F4A'7C15;
    for (const auto value : set) {
        hash = (hash ^ value) * 0xFF51'AFD7'ED55'8CCD;
        hash ^= hash >> 32;
    }
    return hash;
}

// Gives each distinct set of numbers one number, from 0.
class Interner {
  public:
    Interner() : slots_(1024, kFree) {}

    std::uint32_t intern(std::span<const std::uint32_t> set) {
        if (hashes_.size() * 2 >= slots_.size()) grow();
        const auto hash = hash_of(set);
        auto slot = hash & (slots_.size() - 1);
        for (; slots_[slot] != kFree; slot = (slot + 1) & (slots_.size() - 1)) {
            if (hashes_[slots_[slot]] == hash && std::ranges::equal(at(slots_[slot]), set)) {
                return slots_[slot];
            }
        }
        slots_[slot] = static_cast<std::uint32_t>(hashes_.size());
        hashes_.push_back(hash);
        values_.insert(values_.end(), set.begin(), set.end());
        ends_.push_back(values_.size());
        return slots_[slot];
    }
    std::span<const std::uint32_t> at(std::uint32_t id) const {
        const auto begin = id == 0 ? 0 : ends_[id - 1];
        return {values_.data() + begin, ends_[id] - begin};
    }
    std::size_t size() const { return hashes_.size(); }
    std::size_t values() const { return values_.size(); }

  private:
    static constexpr std::uint32_t kFree = 0xFFFF'FFFF;

    void grow() {
        slots_.assign(slots_.size() * 2, kFree);
        for (std::uint32_t id = 0; id < hashes_.size(); ++id) {
            auto slot = hashes_[id] & (slots_.size() - 1);
            while (slots_[slot] != kFree) slot = (slot + 1) & (slots_.size() - 1);
            slots_[slot] = id;
        }
    }

    std::vector<std::uint32_t> slots_;
    std::vector<std::uint64_t> hashes_;
    std::vector<std::uint32_t> values_;
    std::vector<std::size_t> ends_;
};

// What comes before the places in the set that a state stands for: whether the byte before was a '/', and
// whether that was the path's first.
enum Behind : std::uint32_t { kName, kSlash, kFirstSlash, kNothing };

// No set in real policies comes near these; they keep hostile ones from taking memory and minutes.
constexpr std::size_t kMaxPlacesOfAState = 20'000;
constexpr std::size_t kMaxPlacesOfAll = 32U << 20;

class Builder {
  public:
    Builder(const std::vector<RulePattern>& patterns, const std::vector<bool>& shared,
            const AutomatonBounds& bounds, const MakesIdle& makes_idle)
        : bounds_(bounds), shared_(shared), makes_idle_(makes_idle) {
        for (std::uint32_t i = 0; i < patterns.size(); ++i) {
            trie_.add(*patterns[i].sequence, i, patterns[i].rule * 2 + (patterns[i].except ? 1 : 0));
        }
        stamp_of_.assign(trie_.size(), 0);
    }

    std::expected<Automaton, TooLarge> build() {
        accepted({});  // [0]
        begin(kNothing);
        add(PatternTrie::kRoot);
        finish();
        for (std::uint32_t state = 0; state < sets_.size(); ++state) {
            expand(state);
            if (sets_.size() > bounds_.states || result_.exceptions.size() > bounds_.exceptions ||
                sets_.values() > kMaxPlacesOfAll || largest_ > kMaxPlacesOfAState) {
                return std::unexpected(
                    TooLarge{.pattern = greatest_part(), .states = std::min(sets_.size(), bounds_.states)});
            }
        }
        result_.first.push_back(static_cast<std::uint32_t>(result_.exceptions.size()));
        for (std::uint32_t state = 0; state < sets_.size(); ++state) {
            if (sets_.at(state)[0] != kSlash) continue;
            result_.accepted_of[state] = result_.accepted_of[result_.default_of[state]];
        }
        return std::move(result_);
    }

  private:
    struct Arrow {  // by one byte
        std::uint8_t byte;
        std::uint32_t target;
    };
    struct WideArrow {  // by a set
        const glob::ByteSet* set;
        std::uint32_t target;
        bool wide;
    };

    // --- one target set at a time, without duplicates, with what is reached by no byte
    void begin(Behind behind) {
        ++stamp_;
        current_.clear();
        current_.push_back(behind);
    }
    void add(std::uint32_t place) {
        if (stamp_of_[place] == stamp_) return;
        stamp_of_[place] = stamp_;
        current_.push_back(place);
        for (auto e = trie_.place(place).first_edge; e != PatternTrie::kNone; e = trie_.edge(e).next) {
            if (trie_.edge(e).kind == PatternTrie::Edge::Kind::nothing) add(trie_.edge(e).target);
        }
    }
    std::uint32_t finish() {
        if (current_.size() == 1 && current_[0] != kNothing) current_[0] = kName;  // one dead state
        settle();
        std::sort(current_.begin() + 1, current_.end());
        largest_ = std::max(largest_, current_.size());
        return sets_.intern(current_);
    }
    // Where a rule matches for good, its other patterns add nothing; where an exception does, nothing of the
    // rule does. Without this, every "**/x/**" would double the states.
    void settle() {
        settled_.clear();
        for (const auto place : std::span(current_).subspan(1)) {
            if (trie_.place(place).tail) settled_.push_back(trie_.place(place).owner);
        }
        if (settled_.empty()) return;
        const auto is_settled = [&](PatternTrie::Label label) {
            return std::ranges::find(settled_, label) != settled_.end();
        };
        const auto end = std::remove_if(current_.begin() + 1, current_.end(), [&](std::uint32_t id) {
            const auto& place = trie_.place(id);
            if (place.owner == PatternTrie::kMixed) return false;
            if (makes_idle_ && is_idle(place.owner / 2)) return true;
            if (is_settled(place.owner)) return !place.tail;
            return (place.owner & 1U) == 0 && is_settled(place.owner | 1U);
        });
        current_.erase(end, current_.end());
    }

    bool is_idle(std::uint32_t rule) const {
        return std::ranges::any_of(settled_, [&](PatternTrie::Label label) {
            return (label & 1U) == 0 && makes_idle_(label / 2, rule);
        });
    }

    // --- the arrows of one state
    void collect(std::span<const std::uint32_t> places) {
        arrows_.clear();
        wide_.clear();
        anywhere_.clear();
        in_component_.clear();
        for (const auto id : places) {
            const auto& place = trie_.place(id);
            if (place.stay == PatternTrie::Stay::anywhere) anywhere_.push_back(id);
            if (place.stay == PatternTrie::Stay::in_component) in_component_.push_back(id);
            for (auto e = place.first_edge; e != PatternTrie::kNone; e = trie_.edge(e).next) {
                const auto& edge = trie_.edge(e);
                if (edge.kind == PatternTrie::Edge::Kind::byte) {
                    arrows_.push_back({.byte = edge.byte, .target = edge.target});
                } else if (edge.kind == PatternTrie::Edge::Kind::set) {
                    wide_.push_back({.set = edge.set, .target = edge.target, .wide = edge.wide});
                }
            }
        }
        std::sort(arrows_.begin(), arrows_.end(), [](Arrow a, Arrow b) { return a.byte < b.byte; });
    }
    // The bytes that do not lead where the default does.
    glob::ByteSet spoken_of() const {
        glob::ByteSet bytes;
        bytes.set('/');
        for (const auto& arrow : arrows_) bytes.set(arrow.byte);
        for (const auto& arrow : wide_) bytes |= arrow.wide ? ~*arrow.set : *arrow.set;
        bytes.reset(0);
        return bytes;
    }
    std::uint32_t default_target() {
        begin(kName);
        for (const auto place : anywhere_) add(place);
        for (const auto place : in_component_) add(place);
        for (const auto& arrow : wide_) {
            if (arrow.wide) add(arrow.target);
        }
        return finish();
    }
    std::uint32_t target_by(std::uint8_t byte, std::size_t& arrow, Behind behind, std::uint32_t state) {
        // "//" is in no resolved path: to go nowhere keeps the inside of a tree one state.
        if (byte == '/' && (behind == kSlash || behind == kFirstSlash)) return state;
        if (byte == '/') {
            begin(behind == kNothing ? kFirstSlash : kSlash);
        } else {
            begin(kName);
            for (const auto place : in_component_) add(place);
        }
        for (const auto place : anywhere_) add(place);
        for (const auto& wide : wide_) {
            if (wide.set->test(byte)) add(wide.target);
        }
        for (; arrow < arrows_.size() && arrows_[arrow].byte == byte; ++arrow) add(arrows_[arrow].target);
        return finish();
    }

    void expand(std::uint32_t state) {
        const auto set = sets_.at(state);
        const auto behind = static_cast<Behind>(set[0]);
        collect(set.subspan(1));
        result_.accepted_of.push_back(accepted(set));
        result_.first.push_back(static_cast<std::uint32_t>(result_.exceptions.size()));
        const auto by_default = default_target();
        result_.default_of.push_back(by_default);
        const auto bytes = spoken_of();
        std::size_t arrow = 0;
        for (auto byte = bytes._Find_first(); byte < bytes.size(); byte = bytes._Find_next(byte)) {
            const auto target = target_by(static_cast<std::uint8_t>(byte), arrow, behind, state);
            if (target != by_default) {
                result_.exceptions.push_back({.byte = static_cast<std::uint8_t>(byte), .target = target});
            }
        }
    }

    // Most states share the places at which patterns match, so their rules are gathered once.
    std::uint32_t accepted(std::span<const std::uint32_t> set) {
        Set places;
        if (!set.empty() && (set[0] == kName || set[0] == kFirstSlash)) {
            for (const auto id : set.subspan(1)) {
                if (trie_.place(id).first_accept != PatternTrie::kNone) places.push_back(id);
            }
        }
        const auto found = accepted_by_places_.find(places);
        if (found != accepted_by_places_.end()) return found->second;
        auto rules = rules_at(places);
        const auto next = static_cast<std::uint32_t>(result_.accepted.size());
        const auto [known, fresh] = accepted_numbers_.try_emplace(rules, next);
        if (fresh) result_.accepted.push_back(std::move(rules));
        accepted_by_places_.emplace(std::move(places), known->second);
        return known->second;
    }
    Automaton::Accepted rules_at(const Set& places) const {
        Automaton::Accepted at;
        auto& [rules, excepted] = at;
        for (const auto id : places) {
            for (auto a = trie_.place(id).first_accept; a != PatternTrie::kNone; a = trie_.accept(a).next) {
                const auto label = trie_.accept(a).label;
                ((label & 1U) != 0 ? excepted : rules).push_back(label / 2);
            }
        }
        std::sort(rules.begin(), rules.end());
        rules.erase(std::unique(rules.begin(), rules.end()), rules.end());
        std::sort(excepted.begin(), excepted.end());
        excepted.erase(std::unique(excepted.begin(), excepted.end()), excepted.end());
        std::erase_if(rules, [&](std::uint32_t rule) {
            return std::binary_search(excepted.begin(), excepted.end(), rule);
        });
        std::erase_if(excepted, [&](std::uint32_t rule) { return !shared_[rule]; });
        return at;
    }

    // The pattern whose places come in the greatest number of different combinations.
    std::uint32_t greatest_part() {
        std::vector<std::vector<std::uint64_t>> combinations;
        std::map<std::uint32_t, std::uint64_t> of_state;
        for (std::uint32_t state = 0; state < sets_.size(); ++state) {
            of_state.clear();
            for (const auto id : sets_.at(state).subspan(1)) {
                auto& hash = of_state[trie_.place(id).pattern];
                hash = (hash ^ (id + 1)) * 0xFF51'AFD7'ED55'8CCD;
            }
            for (const auto& [pattern, hash] : of_state) {
                if (combinations.size() <= pattern) combinations.resize(pattern + 1);
                combinations[pattern].push_back(hash);
            }
        }
        std::uint32_t greatest = 0;
        std::size_t most = 0;
        for (std::uint32_t pattern = 0; pattern < combinations.size(); ++pattern) {
            auto& hashes = combinations[pattern];
            std::sort(hashes.begin(), hashes.end());
            const auto end = std::unique(hashes.begin(), hashes.end());
            const auto distinct = static_cast<std::size_t>(end - hashes.begin());
            if (distinct > most) {
                most = distinct;
                greatest = pattern;
            }
        }
        return greatest;
    }

    AutomatonBounds bounds_;
    const std::vector<bool>& shared_;
    const MakesIdle& makes_idle_;
    PatternTrie trie_;
    Interner sets_;
    Automaton result_;
    std::map<Automaton::Accepted, std::uint32_t> accepted_numbers_;
    std::map<Set, std::uint32_t> accepted_by_places_;
    std::vector<std::uint32_t> stamp_of_;
    std::uint32_t stamp_ = 0;
    Set current_, settled_;
    std::size_t largest_ = 0;
    std::vector<Arrow> arrows_;
    std::vector<WideArrow> wide_;
    std::vector<std::uint32_t> anywhere_, in_component_;
};

}  // namespace

std::uint32_t Automaton::next(std::uint32_t state, std::uint8_t byte) const {
    for (const auto& exception : exceptions_of(state)) {
        if (exception.byte == byte) return exception.target;
    }
    return default_of[state];
}

std::expected<Automaton, TooLarge> build_automaton(const std::vector<RulePattern>& patterns,
                                                   const std::vector<bool>& shared,
                                                   const AutomatonBounds& bounds,
                                                   const MakesIdle& makes_idle) {
    return Builder(patterns, shared, bounds, makes_idle).build();
}

bool floats(const glob::Sequence& sequence) {
    bool stands = false;  // a component, or a part of one, is literal
    for (const auto& step : sequence.steps) {
        if (step.kind == glob::Step::Kind::directories || step.kind == glob::Step::Kind::any) return !stands;
        stands = stands || (step.kind == glob::Step::Kind::byte && step.byte != '/');
    }
    return false;
}

}  // namespace reeve::policy
