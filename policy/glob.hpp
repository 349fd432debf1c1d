// Path patterns: from the text of a rule to sequences of steps over path bytes.
//
//   *       any bytes of one component (as a whole component: at least one), leading dots too
//   ?       one byte but '/'
//   [a-z]   one byte of a set, [!a-z] of its complement; never '/'
//   {a,b}   either; may be nested, may hold any of these
//   **      as a component: any number of components; "a/**" is a and all below it, "a/**/b" also is a/b;
//           inside a component: any bytes, '/' too
//   ${home} the variable's value, byte for byte, whatever is in it
// Everything else stands for itself: there is no escape, "[*]" is a star. Bytes are compared, case counts.
//
// Matching here is slow and straightforward: it is what the automaton (policy/automaton.hpp) is tested
// against.
#pragma once

#include <bitset>
#include <cstdint>
#include <expected>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "policy/layers.hpp"

namespace reeve::policy::glob {

using ByteSet = std::bitset<256>;

// Bounds on what one pattern of a document turns into.
inline constexpr std::size_t kMaxAlternatives = 1024;
inline constexpr std::size_t kMaxExpandedBytes = 256 << 10;

struct Step {
    enum class Kind : std::uint8_t {
        byte,         // exactly `byte`
        set,          // one of `set`, which never has '/'
        star,         // any number of bytes but '/'
        any,          // any number of bytes
        directories,  // after a '/': any number of whole components, each with the '/' behind it
        tail,         // nothing, or '/' and anything: always the last
    };
    Kind kind = Kind::byte;
    std::uint8_t byte = 0;
    std::shared_ptr<const ByteSet> set;
};

// The steps of one alternative, from the path's first '/' on.
struct Sequence {
    std::vector<Step> steps;

    bool matches(std::string_view path) const;
    // Whether something that begins with `path` and a '/' can match.
    bool can_match_below(std::string_view path) const;
};

// All alternatives of `text`, without duplicates, in the order in which they stand. The error says what is
// wrong with the text, or which variable has no value.
std::expected<std::vector<Sequence>, std::string> expand(std::string_view text, const Variables& variables);

// All bytes but '/'.
const std::shared_ptr<const ByteSet>& not_slash();

// What mounts can use of it.
struct Shape {
    bool literal = false;  // `prefix` is the whole path
    bool tree = false;     // `prefix` and all below it
    std::string prefix;    // the bytes before the first wildcard; "/" for the root
};
Shape shape_of(const Sequence& sequence);

}  // namespace reeve::policy::glob
