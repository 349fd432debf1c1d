// The bytes of a table, for what writes (policy/table_writer.cpp) and what checks and reads them
// (policy/table.cpp). Not for users of Table.
//
// The sections follow each other without gaps, in this order: header, byte classes (256 bytes), states,
// exceptions, rows, outcome of each state, kind of each state, outcomes, matched rules, rules, text. Their
// lengths follow from the header's counts, so that there are no offsets to check.
#pragma once

#include <array>
#include <cstdint>

#include "policy/table.hpp"

namespace reeve::policy {

struct Table::Header {
    static constexpr std::array<char, 8> kMagic = {'R', 'E', 'E', 'V', 'E', 'P', 'T', '1'};
    static constexpr std::uint32_t kByteOrder = 0x01020304;

    std::array<char, 8> magic;
    std::uint32_t byte_order;
    std::uint32_t size;  // of everything
    std::uint32_t states, exceptions, row_entries, outcomes, matched, rules, text;
    std::uint32_t classes;               // of bytes: the length of a row
    std::uint32_t id_offset, id_length;  // of the policy's id, in text
    std::uint8_t mode;                   // Mode
    std::uint8_t base;                   // Authority
    std::uint8_t layers;                 // 1 << Authority: those that have documents
    std::uint8_t reserved;               // 0
    std::uint32_t reserved_too;          // 0
};

// The state before a path's first byte is number 0.
struct Table::State {
    static constexpr std::uint32_t kRow = 0xFFFF'FFFF;
    std::uint32_t by_default;  // the state for bytes without an exception
    std::uint32_t begin;       // of its exceptions, or of its row, which is for all bytes
    std::uint32_t count;       // of exceptions, or kRow
};

// An exception: the byte in the highest 8 bits, the state in the others. Sorted within a state.
inline constexpr unsigned kExceptionShift = 24;
inline constexpr std::uint32_t kMaxTableStates = 1U << kExceptionShift;

struct Table::Outcome {
    static constexpr std::uint32_t kDefault = 0xFFFF'FFFF;
    std::array<std::uint32_t, kFileActions> winner;  // a rule, or kDefault: denied
    std::uint32_t begin, count;                      // of its part of matched, in ascending order
};

// Texts are offset and length. Rules of the base layer come first, then by authority.
struct Table::Rule {
    static constexpr std::uint8_t kNoLog = 0xFF;
    std::uint32_t id_offset, id_length, reason_offset, reason_length, label_offset, label_length;
    std::uint32_t file_offset, file_length, line;
    std::uint16_t actions;
    std::uint8_t verdict, authority, log;
    std::uint8_t reserved[3];  // 0
};

// Which rule decides: in each layer the strictest, of those the strictest, of equals the first. Without a
// match in the base layer it is a deny of another layer, or else the default.
template <typename Rules, typename Matched>
std::uint32_t winner_of(const Rules& rules, const Matched& matched, FileAction action, Authority base) {
    constexpr std::uint32_t kNone = 0xFFFF'FFFF;
    std::uint32_t strictest = kNone;
    bool in_base = false;
    for (const std::uint32_t id : matched) {
        const auto& rule = rules[id];
        if ((rule.actions & bit(action)) == 0) continue;
        in_base = in_base || static_cast<Authority>(rule.authority) == base;
        if (strictest == kNone || rule.verdict > rules[strictest].verdict) strictest = id;
    }
    if (strictest == kNone || in_base) return strictest;
    return static_cast<Verdict>(rules[strictest].verdict) == Verdict::deny ? strictest : kNone;
}

}  // namespace reeve::policy
