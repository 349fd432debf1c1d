#include "daemon/audit/glob.hpp"

namespace reeve::audit {
namespace {

constexpr std::size_t kMaxPattern = 4096, kMaxAlternatives = 64;

// Where the bracket that opens at `open` is closed, or npos.
std::size_t closing_brace(std::string_view pattern, std::size_t open) {
    std::size_t depth = 0;
    for (std::size_t i = open; i < pattern.size(); ++i) {
        if (pattern[i] == '{') ++depth;
        if (pattern[i] == '}' && --depth == 0) return i;
    }
    return std::string_view::npos;
}

// Writes out {a,b}; false if there are too many or one is not closed.
bool expand(const std::string& pattern, std::vector<std::string>& out) {
    const std::size_t open = pattern.find('{');
    if (open == std::string::npos) {
        out.push_back(pattern);
        return out.size() <= kMaxAlternatives;
    }
    const std::size_t close = closing_brace(pattern, open);
    if (close == std::string::npos) return false;
    std::size_t depth = 0, start = open + 1;
    for (std::size_t i = start; i <= close; ++i) {
        if (pattern[i] == '{') ++depth;
        if ((pattern[i] == ',' && depth == 0) || i == close) {
            if (!expand(
                    pattern.substr(0, open) + pattern.substr(start, i - start) + pattern.substr(close + 1),
                    out)) {
                return false;
            }
            start = i + 1;
        } else if (pattern[i] == '}') {
            --depth;
        }
    }
    return true;
}

// The set [..] that starts at pattern[at]; moves `at` to its closing bracket.
bool read_set(std::string_view pattern, std::size_t& at, std::bitset<256>& bytes) {
    const bool inverted = at + 1 < pattern.size() && (pattern[at + 1] == '!' || pattern[at + 1] == '^');
    std::size_t i = at + (inverted ? 2 : 1);
    for (bool first = true; i < pattern.size() && (first || pattern[i] != ']'); first = false, ++i) {
        const auto low = static_cast<unsigned char>(pattern[i]);
        auto high = low;
        if (i + 2 < pattern.size() && pattern[i + 1] == '-' && pattern[i + 2] != ']') {
            high = static_cast<unsigned char>(pattern[i += 2]);
        }
        for (unsigned byte = low; byte <= high; ++byte) bytes.set(byte);
    }
    if (i >= pattern.size()) return false;
    at = i;
    if (inverted) bytes.flip();
    bytes.reset('/');
    return true;
}

}  // namespace

bool Glob::compile_one(std::string_view pattern, Steps& steps) {
    for (std::size_t i = 0; i < pattern.size(); ++i) {
        Step step{.kind = Step::kBytes};
        if (pattern[i] == '*') {
            const bool across = pattern.substr(i, 2) == "**";
            step.kind = across ? Step::kStarStar : Step::kStar;
            i += across ? 1 : 0;
        } else if (pattern[i] == '?') {
            step.bytes.set().reset('/');
        } else if (pattern[i] == '[') {
            if (!read_set(pattern, i, step.bytes)) return false;
        } else {
            step.bytes.set(static_cast<unsigned char>(pattern[i]));
        }
        steps.push_back(step);
    }
    return true;
}

platform::Result<Glob> Glob::compile(std::string_view pattern) {
    constexpr const char* kTried = "read the path pattern";
    const std::string text(pattern);
    if (pattern.size() > kMaxPattern) return platform::error(kTried, "", "it is longer than 4096 bytes");
    std::vector<std::string> alternatives;
    if (!expand(text, alternatives)) {
        return platform::error(kTried, text, "a { is not closed, or there are more than 64 alternatives");
    }
    Glob glob;
    for (std::string& alternative : alternatives) {
        if (!compile_one(alternative, glob.alternatives_.emplace_back())) {
            return platform::error(kTried, text, "a [ is not closed");
        }
        // a/** is a as well, and **/a is a at the start.
        if (alternative.ends_with("/**")) {
            alternative.resize(alternative.size() - 3);
            compile_one(alternative, glob.alternatives_.emplace_back());
        }
        if (alternative.starts_with("**/"))
            compile_one(alternative.substr(3), glob.alternatives_.emplace_back());
    }
    return glob;
}

// All places of the pattern that can have been reached, moved on byte by byte: nothing to go back to, so that
// no pattern takes exponential time.
bool Glob::matches_one(const Steps& steps, std::string_view path) {
    std::vector<bool> now(steps.size() + 1), next(steps.size() + 1);
    const auto reach = [&](std::vector<bool>& places, std::size_t at) {
        // A star may match nothing.
        for (; !places[at]; ++at) {
            places[at] = true;
            if (at == steps.size() || steps[at].kind == Step::kBytes) return;
        }
    };
    reach(now, 0);
    for (const char c : path) {
        next.assign(next.size(), false);
        for (std::size_t at = 0; at < steps.size(); ++at) {
            if (!now[at]) continue;
            if (steps[at].kind == Step::kBytes) {
                if (steps[at].bytes[static_cast<unsigned char>(c)]) reach(next, at + 1);
            } else if (steps[at].kind == Step::kStarStar || c != '/') {
                reach(next, at);
            }
        }
        std::swap(now, next);
    }
    return now[steps.size()];
}

bool Glob::matches(std::string_view path) const {
    for (const Steps& steps : alternatives_) {
        if (matches_one(steps, path)) return true;
    }
    return false;
}

}  // namespace reeve::audit
