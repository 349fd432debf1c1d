// Bytes as JSON string contents, in both directions, and base64 (RFC 4648 section 4) for bytes that are not
// text.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace reeve::audit {

// The most that escape() writes for `bytes` of input: a control character becomes \u00XX.
constexpr std::size_t escaped_bound(std::size_t bytes) {
    return 6 * bytes;
}

// Writes `bytes` at `out` as the inside of a JSON string and gives the end. A byte that is not part of
// well-formed UTF-8 (Unicode 15, table 3-7) becomes U+FFFD; `valid`, if given, is set to false then and is
// else left alone.
char* escape(std::string_view bytes, char* out, bool* valid = nullptr);

// "bytes" with its quotes, for what is not the hot path.
std::string quoted(std::string_view bytes);

// ,"name":"bytes" and, if they are not UTF-8, ,"name_b64":"...". Gives the end; needs member_bound() bytes.
char* put_member(std::string_view name, std::string_view bytes, char* out);
constexpr std::size_t member_bound(std::size_t name, std::size_t bytes) {
    return 2 * name + 24 + 8 * bytes;
}

// The bytes that the inside of a JSON string stands for. An escape that is not JSON stays as it is; \uXXXX
// becomes UTF-8, and half of a surrogate pair U+FFFD.
std::string unescape(std::string_view text);

constexpr std::size_t base64_size(std::size_t bytes) {
    return (bytes + 2) / 3 * 4;
}
char* base64(std::string_view bytes, char* out);
std::string base64(std::string_view bytes);
// Empty for text that is not padded base64.
std::string from_base64(std::string_view text);

}  // namespace reeve::audit
