// Numbers as text.
#pragma once

#include <charconv>
#include <optional>
#include <string_view>
#include <system_error>

namespace reeve::policy {

// The number that all of `text` is, by the rules of std::from_chars (no sign but '-', no space, no overflow).
template <typename Number>
std::optional<Number> number_of(std::string_view text) {
    Number value{};
    const char* start = text.data();
    const char* end = start + text.size();
    const auto [stop, failed] = std::from_chars(start, end, value);
    if (failed != std::errc() || stop != end) return std::nullopt;
    return value;
}

}  // namespace reeve::policy
