// Durations, sizes and times, as documents write them.
#include <array>
#include <chrono>

#include "policy/document_reader.hpp"
#include "policy/number_text.hpp"

namespace reeve::policy {
namespace {

struct Unit {
    char name;
    std::uint64_t value;
};

// A number and one unit. Nothing if it is none, is 0, or is more than `most`.
template <std::size_t count>
std::optional<std::uint64_t> measure(std::string_view text, const std::array<Unit, count>& units,
                                     std::uint64_t most) {
    char name = '\0';
    if (!text.empty() && (text.back() < '0' || text.back() > '9')) {
        name = text.back();
        text.remove_suffix(1);
    }
    const auto number = number_of<std::uint64_t>(text);
    if (!number || *number == 0) return std::nullopt;
    for (const auto& unit : units) {
        if (unit.name == name && *number <= most / unit.value) return *number * unit.value;
    }
    return std::nullopt;
}

// A number of so many digits at the start of `text`, which loses them.
std::optional<int> take_digits(std::string_view& text, std::size_t digits) {
    int value = 0;
    if (text.size() < digits) return std::nullopt;
    for (std::size_t i = 0; i < digits; ++i) {
        if (text[i] < '0' || text[i] > '9') return std::nullopt;
        value = value * 10 + (text[i] - '0');
    }
    text.remove_prefix(digits);
    return value;
}

bool take(std::string_view& text, std::string_view any_of) {
    if (text.empty() || any_of.find(text[0]) == std::string_view::npos) return false;
    text.remove_prefix(1);
    return true;
}

// "Z" or "+02:00", in seconds; nothing may stand behind it.
std::optional<int> offset_of(std::string_view text) {
    if (take(text, "Zz")) return text.empty() ? std::optional(0) : std::nullopt;
    const bool west = text.starts_with('-');
    if (!take(text, "+-")) return std::nullopt;
    const auto hours = take_digits(text, 2);
    if (!hours || *hours > 23 || !take(text, ":")) return std::nullopt;
    const auto minutes = take_digits(text, 2);
    if (!minutes || *minutes > 59 || !text.empty()) return std::nullopt;
    return (west ? -1 : 1) * (*hours * 3600 + *minutes * 60);
}

// RFC 3339 section 5.6.
std::optional<std::int64_t> rfc3339(std::string_view text) {
    const auto year = take_digits(text, 4);
    if (!year || !take(text, "-")) return std::nullopt;
    const auto month = take_digits(text, 2);
    if (!month || !take(text, "-")) return std::nullopt;
    const auto day = take_digits(text, 2);
    if (!day || !take(text, "Tt")) return std::nullopt;
    const auto hour = take_digits(text, 2);
    if (!hour || *hour > 23 || !take(text, ":")) return std::nullopt;
    const auto minute = take_digits(text, 2);
    if (!minute || *minute > 59 || !take(text, ":")) return std::nullopt;
    const auto second = take_digits(text, 2);
    if (!second || *second > 60) return std::nullopt;
    if (take(text, ".")) {
        if (!take_digits(text, 1)) return std::nullopt;
        while (take_digits(text, 1)) {
        }
    }
    const auto offset = offset_of(text);
    const std::chrono::year_month_day date{std::chrono::year(*year),
                                           std::chrono::month(static_cast<unsigned>(*month)),
                                           std::chrono::day(static_cast<unsigned>(*day))};
    if (!offset || !date.ok()) return std::nullopt;
    const std::int64_t days = std::chrono::sys_days(date).time_since_epoch().count();
    const int time = *hour * 3600 + *minute * 60 + *second;
    return days * 86'400 + time - *offset;
}

}  // namespace

std::optional<std::chrono::seconds> read_duration(const JsonNode* node, Report& report) {
    static constexpr std::array<Unit, 5> kUnits{
        {{'s', 1}, {'m', 60}, {'h', 3600}, {'d', 86'400}, {'w', 604'800}}};
    static constexpr std::uint64_t kHundredYears = 36'525ULL * 86'400;
    if (node == nullptr || !is_text(*node, "a duration such as \"5m\"", report)) return std::nullopt;
    const auto seconds = measure(node->text, kUnits, kHundredYears);
    if (!seconds) {
        report.error(node->at, in_quotes(node->text) + " is not a duration",
                     "write a number and one of s, m, h, d, w, such as \"90s\", \"5m\" or \"30d\"");
        return std::nullopt;
    }
    return std::chrono::seconds(*seconds);
}

std::optional<std::uint64_t> read_size(const JsonNode* node, Report& report) {
    static constexpr std::array<Unit, 5> kUnits{
        {{'\0', 1}, {'K', 1ULL << 10}, {'M', 1ULL << 20}, {'G', 1ULL << 30}, {'T', 1ULL << 40}}};
    if (node == nullptr || !is_text(*node, "a size such as \"4G\"", report)) return std::nullopt;
    const auto bytes = measure(node->text, kUnits, 1ULL << 53);
    if (!bytes) {
        report.error(node->at, in_quotes(node->text) + " is not a size",
                     "write a number of bytes, or one with K, M, G or T, such as \"512M\" or \"4G\"");
    }
    return bytes;
}

std::optional<std::int64_t> read_time(const JsonNode* node, Report& report) {
    if (node == nullptr || !is_text(*node, "a time such as \"2027-01-01T00:00:00Z\"", report))
        return std::nullopt;
    const auto seconds = rfc3339(node->text);
    if (!seconds) {
        report.error(node->at, in_quotes(node->text) + " is not a time",
                     "write it as RFC 3339 does, such as \"2027-01-01T00:00:00Z\"");
    }
    return seconds;
}

}  // namespace reeve::policy
