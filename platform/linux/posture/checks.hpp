// Small makers of Checks, so that each probe reads as what it looks at and what that means.
#pragma once

#include <string>
#include <string_view>

#include "platform/posture.hpp"

namespace reeve::platform::posture {

// Which check is being made.
struct Id {
    std::string_view area, name;
};

Check success(Id id, std::string detail);
Check fail(Id id, std::string_view reason, std::string detail, std::string todo = {});
Check absent(Id id, std::string_view reason, std::string detail, std::string todo = {});
Check not_run(Id id, std::string_view reason, std::string detail, std::string todo = {});
Check not_run(Id id, const Error& error);  // the reason follows from the errno

std::string_view reason_of(const Error& error);

// "value_<what was read>": lower case letters, digits, '-' and '_' only, at most 40 of them.
std::string value_reason(std::string_view value);

// An Error for content that is not as its documentation says (code EBADMSG, reason parse_error).
std::unexpected<Error> malformed(std::string on, std::string why);

// What a file or program said, safe to show: other bytes than printable ASCII become '?', cut at 200 bytes.
std::string printable(std::string_view text);

std::string_view trim(std::string_view text);  // white space off both ends

// The next piece of `rest` up to `separator` (which is dropped); `rest` is what follows. Empty at the end.
std::string_view next(std::string_view& rest, char separator);

// A whole decimal number, nothing before or after it.
Result<std::uint64_t> number(std::string on, std::string_view text);

}  // namespace reeve::platform::posture
