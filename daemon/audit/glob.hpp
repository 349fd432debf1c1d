// Path patterns of `reeve log --path`: the forms of policy (`*` within one component, `**` across, `?`,
// `[a-z]`,
// `{a,b}`; `a/**` matches `a` too), on bytes. Not policy's automaton: one pattern, asked of lines that were
// written long ago.
#pragma once

#include <bitset>
#include <string>
#include <string_view>
#include <vector>

#include "platform/result.hpp"

namespace reeve::audit {

class Glob {
  public:
    // Refused: a pattern over 4096 bytes, over 64 alternatives, or with an unfinished [ or {.
    static platform::Result<Glob> compile(std::string_view pattern);
    // Time O(pattern * path).
    bool matches(std::string_view path) const;

  private:
    struct Step {
        enum Kind : unsigned char { kBytes, kStar, kStarStar } kind;
        std::bitset<256> bytes = {};
    };
    using Steps = std::vector<Step>;
    static bool compile_one(std::string_view pattern, Steps& steps);
    static bool matches_one(const Steps& steps, std::string_view path);
    std::vector<Steps> alternatives_;
};

}  // namespace reeve::audit
