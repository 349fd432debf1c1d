#include "platform/linux/posture/checks.hpp"

#include <algorithm>
#include <charconv>

namespace reeve::platform::posture {
namespace {

Check make(Id id, Word word, std::string_view reason, std::string detail, std::string todo) {
    return {.area = std::string(id.area),
            .name = std::string(id.name),
            .word = word,
            .reason = std::string(reason),
            .detail = std::move(detail),
            .todo = std::move(todo)};
}

}  // namespace

std::string_view text(Word word) {
    switch (word) {
        case Word::kSuccess:
            return "success";
        case Word::kFail:
            return "fail";
        case Word::kAbsent:
            return "absent";
        case Word::kNotRun:
            break;
    }
    return "not-run";
}

Check success(Id id, std::string detail) {
    return make(id, Word::kSuccess, {}, std::move(detail), {});
}

Check fail(Id id, std::string_view reason, std::string detail, std::string todo) {
    return make(id, Word::kFail, reason, std::move(detail), std::move(todo));
}

Check absent(Id id, std::string_view reason, std::string detail, std::string todo) {
    return make(id, Word::kAbsent, reason, std::move(detail), std::move(todo));
}

Check not_run(Id id, std::string_view reason, std::string detail, std::string todo) {
    return make(id, Word::kNotRun, reason, std::move(detail), std::move(todo));
}

Check not_run(Id id, const Error& error) {
    return not_run(id, reason_of(error), error.text(), error.todo);
}

std::string_view reason_of(const Error& error) {
    switch (error.code) {
        case EACCES:
        case EPERM:
            return reason::kPermission;
        case ETIMEDOUT:
            return reason::kTimeout;
        case EBADMSG:
        case EFBIG:
            return reason::kParseError;
        case ENOTSUP:
        case ENOSYS:
            return reason::kUnsupported;
        default:
            return reason::kIoError;
    }
}

std::string value_reason(std::string_view value) {
    std::string word = "value_";
    for (const char c : value.substr(0, 40)) {
        const bool upper = c >= 'A' && c <= 'Z';
        const bool plain = (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '_';
        word += upper ? static_cast<char>(c - 'A' + 'a') : plain ? c : '_';
    }
    return word;
}

std::unexpected<Error> malformed(std::string on, std::string why) {
    return std::unexpected(Error{
        .tried = "understand", .on = std::move(on), .why = std::move(why), .todo = {}, .code = EBADMSG});
}

std::string printable(std::string_view text) {
    std::string shown(text.substr(0, 200));
    std::ranges::replace_if(
        shown, [](unsigned char c) { return c < 0x20 || c > 0x7e; }, '?');
    return shown;
}

std::string_view trim(std::string_view text) {
    constexpr std::string_view kSpace = " \t\r\n";
    const auto begin = text.find_first_not_of(kSpace);
    if (begin == std::string_view::npos) return {};
    return text.substr(begin, text.find_last_not_of(kSpace) - begin + 1);
}

std::string_view next(std::string_view& rest, char separator) {
    const auto end = rest.find(separator);
    const auto piece = rest.substr(0, end);
    rest = end == std::string_view::npos ? std::string_view{} : rest.substr(end + 1);
    return piece;
}

Result<std::uint64_t> number(std::string on, std::string_view text) {
    std::uint64_t value = 0;
    const auto [end, failure] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (text.empty() || failure != std::errc{} || end != text.data() + text.size())
        return malformed(std::move(on), "'" + printable(text) + "' is not a number");
    return value;
}

}  // namespace reeve::platform::posture
