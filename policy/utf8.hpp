// UTF-8, as far as reading and showing documents needs it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace reeve::policy {

constexpr bool is_continuation(char byte) {
    return (static_cast<unsigned char>(byte) & 0xC0) == 0x80;
}

// Bytes of the character that `text` starts with; 0 if it starts with none (overlong forms, surrogates and
// what is above U+10FFFF are none) or is empty.
std::size_t utf8_length(std::string_view text);

// The character that `text` starts with; its utf8_length() must not be 0.
std::uint32_t utf8_code(std::string_view text);

// `code` must be a Unicode scalar value.
void append_utf8(std::string& out, std::uint32_t code);

// Of valid UTF-8.
std::size_t count_characters(std::string_view text);

}  // namespace reeve::policy
