// Minimisation: partition refinement on the sparse form, so that a state costs what it has exceptions, not
// 256. As in Hopcroft's algorithm, of the parts of a class that falls apart the largest keeps its number, and
// only what leads to the others is looked at again: O(m log n) for m arrows.
#include <algorithm>

#include "policy/automaton.hpp"

namespace reeve::policy {
namespace {

class Refiner {
  public:
    Refiner(const Automaton& automaton, const std::vector<std::uint32_t>& initial)
        : automaton_(automaton), class_of_(initial) {
        const auto states = automaton.states();
        find_rare_byte();
        reverse();
        order_.resize(states);
        place_of_.resize(states);
        marked_.assign(states, false);
        std::uint32_t classes = 0;
        for (const auto c : initial) classes = std::max(classes, c + 1);
        begin_.assign(classes + 1, 0);
        for (const auto c : initial) ++begin_[c + 1];
        for (std::size_t c = 1; c <= classes; ++c) begin_[c] += begin_[c - 1];
        end_.assign(begin_.begin(), begin_.end() - 1);
        for (std::uint32_t s = 0; s < states; ++s) {
            place_of_[s] = end_[initial[s]]++;
            order_[place_of_[s]] = s;
        }
        begin_.pop_back();
    }

    std::vector<std::uint32_t> run() {
        std::vector<std::uint32_t> touched(automaton_.states());
        for (std::uint32_t s = 0; s < touched.size(); ++s) touched[s] = s;
        while (!touched.empty()) touched = round(touched);
        return class_of_;
    }

  private:
    struct Signed {
        std::uint32_t state;
        std::uint32_t begin, end;  // of its signature in signatures_
    };

    // A byte that leads by default from all states if there is one: then the class of the default is the same
    // for equal states, and need not be worked out byte by byte.
    void find_rare_byte() {
        std::vector<std::uint32_t> uses(256);
        for (const auto& exception : automaton_.exceptions) ++uses[exception.byte];
        rare_ = static_cast<std::uint8_t>(std::min_element(uses.begin() + 1, uses.end()) - uses.begin());
    }

    void reverse() {
        const auto states = automaton_.states();
        from_begin_.assign(states + 1, 0);
        const auto each = [&](const auto& f) {
            for (std::uint32_t s = 0; s < states; ++s) {
                f(s, automaton_.default_of[s]);
                for (const auto& exception : automaton_.exceptions_of(s)) f(s, exception.target);
            }
        };
        each([&](std::uint32_t, std::uint32_t target) { ++from_begin_[target + 1]; });
        for (std::size_t s = 1; s <= states; ++s) from_begin_[s] += from_begin_[s - 1];
        from_.resize(from_begin_.back());
        auto at = from_begin_;
        each([&](std::uint32_t s, std::uint32_t target) { from_[at[target]++] = s; });
    }

    // The class that most bytes lead to, then (byte, class) for all others.
    void sign(std::uint32_t state) {
        const auto exceptions = automaton_.exceptions_of(state);
        const auto common = class_of_[automaton_.next(state, rare_)];
        signatures_.push_back(common);
        const auto by_default = class_of_[automaton_.default_of[state]];
        if (by_default == common) {
            for (const auto& exception : exceptions) {
                if (class_of_[exception.target] == common) continue;
                signatures_.push_back(exception.byte);
                signatures_.push_back(class_of_[exception.target]);
            }
            return;
        }
        std::size_t i = 0;
        for (unsigned byte = 1; byte < 256; ++byte) {
            auto target = by_default;
            if (i < exceptions.size() && exceptions[i].byte == byte) {
                target = class_of_[exceptions[i++].target];
            }
            if (target == common) continue;
            signatures_.push_back(byte);
            signatures_.push_back(target);
        }
    }

    bool less(const Signed& a, const Signed& b) const {
        return std::lexicographical_compare(signatures_.begin() + a.begin, signatures_.begin() + a.end,
                                            signatures_.begin() + b.begin, signatures_.begin() + b.end);
    }

    std::vector<std::uint32_t> round(const std::vector<std::uint32_t>& touched) {
        // The touched states of a class go to its front.
        std::vector<std::uint32_t> classes;
        std::vector<std::uint32_t>& count = touched_in_class_;
        count.resize(begin_.size());
        for (const auto s : touched) {
            const auto c = class_of_[s];
            if (count[c] == 0) classes.push_back(c);
            swap_to(s, begin_[c] + count[c]++);
        }
        struct Moved {
            std::uint32_t begin, end;
        };
        std::vector<Moved> moved;  // parts of order_ that get a class of their own
        for (const auto c : classes) {
            const auto number = count[c];
            count[c] = 0;
            if (end_[c] - begin_[c] == 1) continue;
            split(c, number, moved);
        }
        // Only now do the numbers change: all signatures of a round are of the same partition.
        for (const auto& part : moved) {
            const auto id = static_cast<std::uint32_t>(begin_.size());
            begin_.push_back(part.begin);
            end_.push_back(part.end);
            for (auto i = part.begin; i < part.end; ++i) class_of_[order_[i]] = id;
        }
        std::vector<std::uint32_t> next;
        for (const auto& part : moved) {
            for (auto i = part.begin; i < part.end; ++i) {
                const auto s = order_[i];
                for (auto f = from_begin_[s]; f < from_begin_[s + 1]; ++f) {
                    if (marked_[from_[f]]) continue;
                    marked_[from_[f]] = true;
                    next.push_back(from_[f]);
                }
            }
        }
        for (const auto s : next) marked_[s] = false;
        return next;
    }

    template <typename Moved>
    void split(std::uint32_t c, std::uint32_t number, std::vector<Moved>& moved) {
        signatures_.clear();
        signed_.clear();
        for (std::uint32_t i = begin_[c]; i < begin_[c] + number; ++i) {
            const auto begin = static_cast<std::uint32_t>(signatures_.size());
            sign(order_[i]);
            signed_.push_back(
                {.state = order_[i], .begin = begin, .end = static_cast<std::uint32_t>(signatures_.size())});
        }
        std::sort(signed_.begin(), signed_.end(), [&](const auto& a, const auto& b) { return less(a, b); });
        // The parts: runs of equal signatures, then what was not touched, which all differ from these.
        std::vector<Moved> parts;
        for (std::uint32_t i = 0; i < number; ++i) {
            const auto place = begin_[c] + i;
            order_[place] = signed_[i].state;
            place_of_[signed_[i].state] = place;
            if (i == 0 || less(signed_[i - 1], signed_[i])) parts.push_back({place, place});
            ++parts.back().end;
        }
        if (begin_[c] + number < end_[c]) parts.push_back({begin_[c] + number, end_[c]});
        const auto largest = std::max_element(parts.begin(), parts.end(), [](const auto& a, const auto& b) {
            return a.end - a.begin < b.end - b.begin;
        });
        begin_[c] = largest->begin;
        end_[c] = largest->end;
        for (auto part = parts.begin(); part != parts.end(); ++part) {
            if (part != largest) moved.push_back(*part);
        }
    }

    void swap_to(std::uint32_t state, std::uint32_t place) {
        const auto other = order_[place];
        const auto old = place_of_[state];
        order_[place] = state;
        order_[old] = other;
        place_of_[state] = place;
        place_of_[other] = old;
    }

    const Automaton& automaton_;
    std::uint8_t rare_ = 1;
    std::vector<std::uint32_t> class_of_;
    std::vector<std::uint32_t> order_, place_of_;   // states, those of one class together
    std::vector<std::uint32_t> begin_, end_;        // of each class in order_
    std::vector<std::uint32_t> from_begin_, from_;  // by target
    std::vector<std::uint32_t> touched_in_class_;
    std::vector<std::uint32_t> signatures_;
    std::vector<Signed> signed_;
    std::vector<bool> marked_;
};

}  // namespace

std::vector<std::uint32_t> refine(const Automaton& automaton, const std::vector<std::uint32_t>& initial) {
    auto classes = Refiner(automaton, initial).run();
    std::vector<std::uint32_t> number(automaton.states(), 0xFFFF'FFFF);
    std::uint32_t count = 0;
    for (auto& c : classes) {
        if (number[c] == 0xFFFF'FFFF) number[c] = count++;
        c = number[c];
    }
    return classes;
}

Automaton quotient(const Automaton& automaton, const std::vector<std::uint32_t>& partition) {
    constexpr std::uint32_t kNew = 0xFFFF'FFFF;
    std::vector<std::uint32_t> number(automaton.states(), kNew);  // by class
    std::vector<std::uint32_t> states;                            // one of each class
    const auto reach = [&](std::uint32_t state) {
        auto& id = number[partition[state]];
        if (id == kNew) {
            id = static_cast<std::uint32_t>(states.size());
            states.push_back(state);
        }
        return id;
    };
    Automaton result;
    result.accepted = automaton.accepted;
    reach(Automaton::kStart);
    for (std::size_t i = 0; i < states.size(); ++i) {
        const auto state = states[i];
        const auto by_default = reach(automaton.default_of[state]);
        result.default_of.push_back(by_default);
        result.accepted_of.push_back(automaton.accepted_of[state]);
        result.first.push_back(static_cast<std::uint32_t>(result.exceptions.size()));
        for (const auto& exception : automaton.exceptions_of(state)) {
            const auto target = reach(exception.target);
            if (target != by_default) {
                result.exceptions.push_back({.byte = exception.byte, .target = target});
            }
        }
    }
    result.first.push_back(static_cast<std::uint32_t>(result.exceptions.size()));
    return result;
}

}  // namespace reeve::policy
