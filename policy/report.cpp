#include "policy/report.hpp"

#include <algorithm>
#include <cstdint>
#include <numeric>
#include <tuple>

#include "policy/document.hpp"
#include "policy/utf8.hpp"

namespace reeve::policy {
namespace {

constexpr std::size_t kQuotedCharacters = 80;

// What a terminal would act on, or what would turn the order of the text around it.
bool is_unsafe(std::uint32_t code) {
    return code < 0x20 || (code >= 0x7F && code < 0xA0) || (code >= 0x200B && code <= 0x200F) ||
           (code >= 0x2028 && code <= 0x202E) || (code >= 0x2060 && code <= 0x206F) || code == 0xFEFF;
}

// Edits (a character more, less or other, or two neighbours exchanged) from one word to the other, case apart.
std::size_t distance(std::string_view a, std::string_view b) {
    const auto lower = [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; };
    std::vector<std::size_t> before(b.size() + 1), last(b.size() + 1), row(b.size() + 1);
    std::iota(last.begin(), last.end(), std::size_t{0});
    for (std::size_t i = 1; i <= a.size(); ++i) {
        row[0] = i;
        for (std::size_t j = 1; j <= b.size(); ++j) {
            const bool same = lower(a[i - 1]) == lower(b[j - 1]);
            row[j] = std::min({last[j] + 1, row[j - 1] + 1, last[j - 1] + (same ? 0 : 1)});
            const bool exchanged =
                i > 1 && j > 1 && lower(a[i - 1]) == lower(b[j - 2]) && lower(a[i - 2]) == lower(b[j - 1]);
            if (exchanged) row[j] = std::min(row[j], before[j - 2] + 1);
        }
        std::swap(before, last);
        std::swap(last, row);
    }
    return last[b.size()];
}

}  // namespace

void Report::add(std::vector<Diagnostic>& list, Diagnostic diagnostic) {
    if (list.size() + 1 < kMaxDiagnostics) {
        list.push_back(std::move(diagnostic));
    } else if (list.size() < kMaxDiagnostics) {
        // Behind all others in the order of places.
        list.push_back({diagnostic.file,
                        {UINT32_MAX, 0},
                        "there is more to say than is shown here",
                        "put this in order first",
                        diagnostic.severity});
    }
}

bool Report::full() const {
    return errors_.size() >= kMaxDiagnostics;
}

void Report::error(Position at, std::string message, std::string hint) {
    add(errors_, {file_, at, std::move(message), std::move(hint), Severity::error});
}

void Report::warning(Position at, std::string message, std::string hint) {
    add(warnings_, {file_, at, std::move(message), std::move(hint), Severity::warning});
}

std::vector<Diagnostic> Report::sorted(std::vector<Diagnostic> list) {
    std::stable_sort(list.begin(), list.end(), [](const Diagnostic& a, const Diagnostic& b) {
        return std::tuple(a.at.line, a.at.column) < std::tuple(b.at.line, b.at.column);
    });
    if (!list.empty() && list.back().at.line == UINT32_MAX) list.back().at = {};
    return list;
}

std::string in_quotes(std::string_view text) {
    std::string out = "\"";
    std::size_t count = 0;
    while (!text.empty()) {
        if (++count > kQuotedCharacters) return out + "…\"";
        const std::size_t length = utf8_length(text);
        const std::uint32_t code = length == 0 ? 0xFFFD : utf8_code(text);
        if (is_unsafe(code)) {
            static constexpr std::string_view kHex = "0123456789ABCDEF";
            out += "\\u";
            for (const unsigned shift : {12U, 8U, 4U, 0U}) out += kHex[(code >> shift) & 15U];
        } else {
            append_utf8(out, code);
        }
        text.remove_prefix(std::max<std::size_t>(1, length));
    }
    return out + "\"";
}

std::string_view nearest(std::string_view text, const std::vector<std::string_view>& words) {
    if (text.size() > 64) return "";
    std::string_view best;
    std::size_t least = 1 + std::max<std::size_t>(1, text.size() / 3);
    for (const auto word : words) {
        const std::size_t edits = distance(text, word);
        if (edits < least) {
            least = edits;
            best = word;
        }
    }
    return best;
}

std::string suggestion(std::string_view text, const std::vector<std::string_view>& words) {
    const auto word = nearest(text, words);
    if (!word.empty()) return "did you mean \"" + std::string(word) + "\"?";
    std::string hint;
    for (const auto known : words) hint += (hint.empty() ? "known here: " : ", ") + std::string(known);
    return hint;
}

}  // namespace reeve::policy
