#include "client/when.hpp"

#include <charconv>
#include <cstdint>
#include <cstdio>
#include <ctime>
#include <optional>

namespace reeve::client {
namespace {

std::optional<std::int64_t> duration(const std::string& text) {
    std::int64_t count = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), count);
    if (error != std::errc() || end + 1 != text.data() + text.size() || count < 0) return std::nullopt;
    constexpr std::int64_t kMost = std::int64_t{100} * 366 * 24 * 3600;
    std::int64_t unit = 0;
    switch (*end) {
        case 's':
            unit = 1;
            break;
        case 'm':
            unit = 60;
            break;
        case 'h':
            unit = 3600;
            break;
        case 'd':
            unit = 24 * 3600;
            break;
        case 'w':
            unit = 7 * 24 * 3600;
            break;
        default:
            return std::nullopt;
    }
    if (count > kMost / unit) return std::nullopt;
    return count * unit;
}

// "dddd-dd-dd" with digits for d; `from` the text's other characters stand as they are.
bool has_form(const std::string& text, const char* form) {
    std::size_t at = 0;
    for (; form[at] != '\0'; ++at) {
        if (at >= text.size()) return false;
        const bool digit = text[at] >= '0' && text[at] <= '9';
        if (form[at] == 'd' ? !digit : text[at] != form[at]) return false;
    }
    return at == text.size();
}

std::int64_t number(const std::string& text, std::size_t from, std::size_t digits) {
    std::int64_t value = 0;
    (void)std::from_chars(text.data() + from, text.data() + from + digits, value);
    return value;
}

// The start of a day here; nothing for a 31st of June.
std::optional<std::int64_t> start_of_day(const std::string& text) {
    const std::chrono::year_month_day date{std::chrono::year(static_cast<int>(number(text, 0, 4))),
                                           std::chrono::month(static_cast<unsigned>(number(text, 5, 2))),
                                           std::chrono::day(static_cast<unsigned>(number(text, 8, 2)))};
    if (!date.ok()) return std::nullopt;
    tm parts{};
    parts.tm_year = static_cast<int>(number(text, 0, 4)) - 1900;
    parts.tm_mon = static_cast<int>(number(text, 5, 2)) - 1;
    parts.tm_mday = static_cast<int>(number(text, 8, 2));
    parts.tm_isdst = -1;
    return std::mktime(&parts);
}

}  // namespace

std::string rfc3339(Seconds time) {
    const auto day = std::chrono::floor<std::chrono::days>(time);
    const std::chrono::year_month_day date(day);
    const std::chrono::hh_mm_ss clock(time - day);
    char text[40];
    std::snprintf(text, sizeof text, "%04d-%02u-%02uT%02d:%02d:%02dZ", static_cast<int>(date.year()),
                  static_cast<unsigned>(date.month()), static_cast<unsigned>(date.day()),
                  static_cast<int>(clock.hours().count()), static_cast<int>(clock.minutes().count()),
                  static_cast<int>(clock.seconds().count()));
    return text;
}

platform::Result<std::string> parse_since(const std::string& text, Seconds now) {
    if (const auto before = duration(text)) return rfc3339(now - std::chrono::seconds(*before));
    if (has_form(text, "dddd-dd-dd")) {
        if (const auto start = start_of_day(text)) return rfc3339(Seconds(std::chrono::seconds(*start)));
    } else if (text.size() >= 20 && has_form(text.substr(0, 19), "dddd-dd-ddTdd:dd:dd")) {
        return text;
    }
    return platform::error("read the time", "\"" + text + "\"", "it is none",
                           "write 10m, 2h or 3d, a date (2026-11-23), or 2026-11-23T19:02:11Z");
}

std::string local_time(const std::string& text) {
    if (text.size() < 20 || !has_form(text.substr(0, 19), "dddd-dd-ddTdd:dd:dd") || text.back() != 'Z')
        return text;
    tm parts{};
    parts.tm_year = static_cast<int>(number(text, 0, 4)) - 1900;
    parts.tm_mon = static_cast<int>(number(text, 5, 2)) - 1;
    parts.tm_mday = static_cast<int>(number(text, 8, 2));
    parts.tm_hour = static_cast<int>(number(text, 11, 2));
    parts.tm_min = static_cast<int>(number(text, 14, 2));
    parts.tm_sec = static_cast<int>(number(text, 17, 2));
    const time_t seconds = ::timegm(&parts);
    tm local{};
    char line[40];
    if (::localtime_r(&seconds, &local) == nullptr) return text;
    std::strftime(line, sizeof line, "%Y-%m-%d %H:%M:%S", &local);
    return line;
}

}  // namespace reeve::client
