#include "daemon/api/render_record.hpp"

#include <time.h>

#include <cstdint>
#include <cstdio>
#include <nlohmann/json.hpp>

namespace reeve::api {
namespace {

using nlohmann::json;

// How many bytes of UTF-8 start at `at`, and what they stand for; 0 for a bad byte. Over-long forms and
// surrogates are harmless to a terminal only as escapes, so that they count as bad.
std::size_t decode(std::string_view text, std::size_t at, std::uint32_t& code) {
    const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(text[i]); };
    const unsigned char lead = byte(at);
    const std::size_t length = lead < 0x80 ? 1 : lead >= 0xF0 ? 4 : lead >= 0xE0 ? 3 : lead >= 0xC2 ? 2 : 0;
    if (length == 0 || lead > 0xF4 || at + length > text.size()) return 0;
    code = length == 1 ? lead : lead & (0xFFU >> (length + 1));
    for (std::size_t i = 1; i < length; ++i) {
        if ((byte(at + i) & 0xC0) != 0x80) return 0;
        code = code << 6 | (byte(at + i) & 0x3FU);
    }
    constexpr std::uint32_t kLeast[] = {0, 0, 0x80, 0x800, 0x10000};
    return code < kLeast[length] || code > 0x10FFFF || (code >= 0xD800 && code <= 0xDFFF) ? 0 : length;
}

bool unsafe(std::uint32_t code) {
    return code < 0x20 || (code >= 0x7F && code < 0xA0) ||  // C0, DEL, C1
           code == 0x061C || (code >= 0x200B && code <= 0x200F) || (code >= 0x2028 && code <= 0x202E) ||
           (code >= 0x2060 && code <= 0x2069) || code == 0xFEFF;  // invisible, line separators, bidirectional
}

const json* find(const json& object, const char* name) {
    if (!object.is_object()) return nullptr;
    const auto found = object.find(name);
    return found == object.end() ? nullptr : &*found;
}

std::string text(const json& object, const char* name) {
    const json* value = find(object, name);
    return value != nullptr && value->is_string() ? value->get<std::string>() : "";
}

std::uint64_t number(const json& object, const char* name) {
    const json* value = find(object, name);
    return value != nullptr && value->is_number_unsigned() ? value->get<std::uint64_t>() : 0;
}

// "2026-11-23T19:02:11.483920Z" as local time with milliseconds.
std::string local_time(const std::string& timestamp) {
    tm parts{};
    int milliseconds = 0;
    // NOLINTNEXTLINE(cert-err34-c): the widths keep every number within an int
    if (std::sscanf(timestamp.c_str(), "%4d-%2d-%2dT%2d:%2d:%2d.%3d", &parts.tm_year, &parts.tm_mon,
                    &parts.tm_mday, &parts.tm_hour, &parts.tm_min, &parts.tm_sec, &milliseconds) != 7) {
        return timestamp;
    }
    parts.tm_year -= 1900;
    parts.tm_mon -= 1;
    const time_t seconds = ::timegm(&parts);
    tm local{};
    if (::localtime_r(&seconds, &local) == nullptr) return timestamp;
    char date[40];
    char line[48];
    std::strftime(date, sizeof date, "%Y-%m-%d %H:%M:%S", &local);
    std::snprintf(line, sizeof line, "%s.%03d", date, milliseconds);
    return line;
}

std::string padded(std::string value, std::size_t width) {
    if (value.size() < width) value.append(width - value.size(), ' ');
    return value;
}

std::string process_of(const json& record) {
    const json* actor = find(record, "actor");
    const json* process = actor != nullptr ? find(*actor, "process") : nullptr;
    if (process == nullptr) return "";
    const std::string exe = text(*process, "exe");
    return exe.substr(exe.rfind('/') + 1) + "[" + std::to_string(number(*process, "pid")) + "]";
}

// What it was done to: "/w/x -> /w/y (exchange)". The call is told where the action does not say as much.
std::string object_of(const json& record, const json& details) {
    std::string out = text(record, "resource");
    if (const std::string target = text(details, "target"); !target.empty()) out += " -> " + target;
    const std::string operation = text(details, "operation"), action = text(record, "action");
    if (!operation.empty() && operation != "open" && operation != action.substr(action.find('.') + 1))
        out += " (" + operation + ")";
    return out;
}

std::string rule_of(const json& record) {
    const json* evaluation = find(record, "policy_evaluation");
    if (evaluation == nullptr) return "";
    const std::string rule = text(*evaluation, "rule");
    if (!rule.empty()) return "by " + rule;
    return text(*evaluation, "decided_by") == "default" && text(record, "outcome") == "denied" ? "by default"
                                                                                               : "";
}

// The parts that only some records have, two spaces apart.
std::string tail(const json& record) {
    std::string out;
    const auto add = [&](const std::string& part) {
        if (!part.empty()) out += "  " + part;
    };
    const json* found = find(record, "details");
    const json& details = found != nullptr ? *found : record;
    add(object_of(record, details));
    add(process_of(record));
    add(rule_of(record));
    add(text(details, "reason"));
    add(text(details, "errno"));
    if (number(record, "count") > 1) add("x" + std::to_string(number(record, "count")));
    return out;
}

}  // namespace

std::string terminal_safe(std::string_view text) {
    std::string out;
    for (std::size_t at = 0; at < text.size();) {
        std::uint32_t code = 0;
        const std::size_t length = decode(text, at, code);
        char escaped[16];
        if (length == 0 || (unsafe(code) && code < 0x80)) {
            std::snprintf(escaped, sizeof escaped, "\\x%02x", static_cast<unsigned char>(text[at]));
            out += code == '\n' && length == 1 ? "\\n" : escaped;
        } else if (unsafe(code)) {
            std::snprintf(escaped, sizeof escaped, "\\u{%x}", static_cast<unsigned>(code));
            out += escaped;
        } else {
            out += text.substr(at, length);
        }
        at += length == 0 ? 1 : length;
    }
    return out;
}

std::string render_record(std::string_view line) {
    const json record = json::parse(line, nullptr, false);
    if (text(record, "schema") != "reeve.audit/1") return terminal_safe(line);
    return terminal_safe(padded(local_time(text(record, "timestamp")), 23) + "  " +
                         padded(text(record, "outcome"), 7) + "  " + padded(text(record, "action"), 18) +
                         tail(record));
}

}  // namespace reeve::api
