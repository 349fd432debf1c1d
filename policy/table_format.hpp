// The bytes of a table, for what writes (policy/table_writer.cpp) and what checks and reads them
// (policy/table.cpp, policy/table_check.cpp). Not for users of Table.
//
// The sections follow each other without gaps, in this order: header, byte classes (256 bytes), states,
// exceptions, rows, outcome of each state, kind of each state, outcomes, matched rules, rules, text. Their
// lengths follow from the header's counts, so that there are no offsets to check. The automaton has two parts
// (policy/automaton.hpp), which share these sections; a path leads to a state of each.
#pragma once

#include <algorithm>
#include <array>
#include <cstdint>
#include <span>

#include "policy/table.hpp"

namespace reeve::policy {

struct Table::Header {
    static constexpr std::array<char, 8> kMagic = {'R', 'E', 'E', 'V', 'E', 'P', 'T', '2'};
    static constexpr std::uint32_t kByteOrder = 0x01020304;

    std::array<char, 8> magic;
    std::uint32_t byte_order;
    std::uint32_t size;  // of everything
    std::uint32_t states, exceptions, row_entries, outcomes, matched, rules, text;
    std::uint32_t classes;               // of bytes: the length of a row
    std::array<std::uint32_t, 2> start;  // of each part: the state before a path's first byte
    std::uint32_t id_offset, id_length;  // of the policy's id, in text
    std::uint8_t mode;                   // Mode
    std::uint8_t base;                   // Authority
    std::uint8_t layers;                 // 1 << Authority: those that have documents
    std::uint8_t reserved;               // 0
};

struct Table::State {
    static constexpr std::uint32_t kRow = 0x7FFF'FFFF;
    // All bytes of a name lead from the state to itself: it can be left out until the next '/'.
    static constexpr std::uint32_t kStays = 0x8000'0000;

    std::uint32_t by_default;  // the state for bytes without an exception
    std::uint32_t begin;       // of its exceptions, or of its row, which is for all bytes
    std::uint32_t arrows;      // the number of exceptions, or kRow; and kStays or not

    std::uint32_t count() const { return arrows & ~kStays; }
    bool stays() const { return (arrows & kStays) != 0; }
};

// An exception: the byte in the highest 8 bits, the state in the others. Sorted within a state.
inline constexpr unsigned kExceptionShift = 24;
inline constexpr std::uint32_t kMaxTableStates = 1U << kExceptionShift;

// What matches in a state of one part.
struct Table::Outcome {
    static constexpr std::uint32_t kDefault = 0xFFFF'FFFF;
    std::array<std::uint32_t, kFileActions>
        winner;                  // a rule, or kDefault: denied. Where the other part has none
    std::uint32_t begin, count;  // of its rules in matched, in ascending order
    std::uint32_t excepted;      // behind those: rules that do not match, whatever the other part says
};

// Texts are offset and length. Rules of the base layer come first, then by authority.
struct Table::Rule {
    static constexpr std::uint8_t kNoLog = 0xFF;
    std::uint32_t id_offset, id_length, reason_offset, reason_length, label_offset, label_length;
    std::uint32_t file_offset, file_length, line;
    std::uint16_t actions;
    std::uint8_t verdict, authority, log, flags;
    std::uint8_t reserved[2];  // 0
};

// A rule's flags: how what it denies looks. Only with a denial, and never both.
inline constexpr std::uint8_t kHidden = 1, kCanary = 2;
constexpr std::uint8_t flags_of(bool hidden, bool canary) {
    return static_cast<std::uint8_t>((hidden ? kHidden : 0) | (canary ? kCanary : 0));
}

// Of two denials, one that hides is the stricter; a canary has to be seen, whatever else denies its path.
constexpr unsigned strictness_of(Verdict verdict, std::uint8_t flags) {
    return static_cast<unsigned>(verdict) * 4 + flags;
}

// Which rule decides: in each layer the strictest, of those the strictest, of equals the first. Without a
// match in the base layer it is a deny of another layer, or else the default. Rules are added in ascending
// order.
template <typename Rule>
class Winner {
  public:
    Winner(const Rule* rules, FileAction action, Authority base)
        : rules_(rules), action_(bit(action)), base_(base) {}

    void add(std::uint32_t id) {
        const auto& rule = rules_[id];
        if ((rule.actions & action_) == 0) return;
        in_base_ = in_base_ || static_cast<Authority>(rule.authority) == base_;
        if (strictest_ == kNone || strictness(rule) > strictness(rules_[strictest_])) strictest_ = id;
    }
    std::uint32_t get() const {
        if (strictest_ == kNone || in_base_) return strictest_;
        return static_cast<Verdict>(rules_[strictest_].verdict) == Verdict::deny ? strictest_ : kNone;
    }

  private:
    static constexpr std::uint32_t kNone = 0xFFFF'FFFF;  // Table::Outcome::kDefault
    static unsigned strictness(const Rule& rule) {
        return strictness_of(static_cast<Verdict>(rule.verdict), rule.flags);
    }
    const Rule* rules_;
    ActionSet action_;
    Authority base_;
    std::uint32_t strictest_ = kNone;
    bool in_base_ = false;
};

// What both parts say together: rules that match in one and are excepted in neither, in ascending order.
struct Matched {
    std::span<const std::uint32_t> rules, excepted;
};
template <typename Use>
void for_each_match(const Matched& a, const Matched& b, Use use) {
    std::size_t i = 0, j = 0;
    while (i < a.rules.size() || j < b.rules.size()) {
        const bool from_a = j == b.rules.size() || (i < a.rules.size() && a.rules[i] <= b.rules[j]);
        const auto id = from_a ? a.rules[i] : b.rules[j];
        if (i < a.rules.size() && a.rules[i] == id) ++i;
        if (j < b.rules.size() && b.rules[j] == id) ++j;
        const bool excepted = std::binary_search(a.excepted.begin(), a.excepted.end(), id) ||
                              std::binary_search(b.excepted.begin(), b.excepted.end(), id);
        if (!excepted) use(id);
    }
}

}  // namespace reeve::policy
