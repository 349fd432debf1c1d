#include "daemon/audit/text.hpp"

#include <array>
#include <bit>
#include <cstdint>
#include <cstring>

namespace reeve::audit {
namespace {

constexpr std::uint64_t repeated(std::uint8_t byte) {
    return 0x0101010101010101ULL * byte;
}

// A bit in each byte of `word` that must not be copied as it is: below 0x20, the quote, the backslash, 0x80
// and above. Exact up to the first such byte, which is all that is asked: borrows only go upwards.
constexpr std::uint64_t special(std::uint64_t word) {
    const auto zero = [](std::uint64_t v) { return (v - repeated(1)) & ~v; };
    const std::uint64_t control = (word - repeated(0x20)) & ~word;
    return (control | zero(word ^ repeated('"')) | zero(word ^ repeated('\\')) | word) & repeated(0x80);
}

// How many bytes of well-formed UTF-8 start here; 0 if none do. `at` is 0x80 or above.
std::size_t utf8_length(const unsigned char* at, const unsigned char* end) {
    const unsigned char lead = *at;
    const auto follows = [&](std::size_t i, unsigned low = 0x80, unsigned high = 0xBF) {
        return static_cast<std::size_t>(end - at) > i && at[i] >= low && at[i] <= high;
    };
    if (lead >= 0xC2 && lead <= 0xDF) return follows(1) ? 2 : 0;
    if (lead >= 0xE0 && lead <= 0xEF) {
        // Over-long forms and surrogates are excluded by the second byte.
        return follows(1, lead == 0xE0 ? 0xA0 : 0x80, lead == 0xED ? 0x9F : 0xBF) && follows(2) ? 3 : 0;
    }
    if (lead >= 0xF0 && lead <= 0xF4) {
        return follows(1, lead == 0xF0 ? 0x90 : 0x80, lead == 0xF4 ? 0x8F : 0xBF) && follows(2) && follows(3)
                   ? 4
                   : 0;
    }
    return 0;
}

char* put(std::string_view text, char* out) {
    std::memcpy(out, text.data(), text.size());
    return out + text.size();
}

char* put_control(unsigned char byte, char* out) {
    constexpr std::string_view kHex = "0123456789abcdef";
    switch (byte) {
        case '"':
            return put("\\\"", out);
        case '\\':
            return put("\\\\", out);
        case '\n':
            return put("\\n", out);
        case '\r':
            return put("\\r", out);
        case '\t':
            return put("\\t", out);
        default:
            out = put("\\u00", out);
            *out++ = kHex[byte >> 4];
            *out++ = kHex[byte & 15];
            return out;
    }
}

constexpr std::string_view kAlphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

constexpr std::array<std::int8_t, 256> kSextets = [] {
    std::array<std::int8_t, 256> table{};
    table.fill(-1);
    for (std::size_t i = 0; i < kAlphabet.size(); ++i) {
        table[static_cast<unsigned char>(kAlphabet[i])] = static_cast<std::int8_t>(i);
    }
    return table;
}();

void put_utf8(std::uint32_t code, std::string& out) {
    const auto byte = [&](std::uint32_t value) { out.push_back(static_cast<char>(value)); };
    if (code < 0x80) {
        byte(code);
    } else if (code < 0x800) {
        byte(0xC0 | code >> 6), byte(0x80 | (code & 0x3F));
    } else if (code < 0x10000) {
        byte(0xE0 | code >> 12), byte(0x80 | (code >> 6 & 0x3F)), byte(0x80 | (code & 0x3F));
    } else {
        byte(0xF0 | code >> 18), byte(0x80 | (code >> 12 & 0x3F)), byte(0x80 | (code >> 6 & 0x3F));
        byte(0x80 | (code & 0x3F));
    }
}

// The value of the four hex digits at text[at], or -1.
std::int32_t hex4(std::string_view text, std::size_t at) {
    if (text.size() < at + 4) return -1;
    std::int32_t value = 0;
    for (const char c : text.substr(at, 4)) {
        const int digit = c >= '0' && c <= '9'   ? c - '0'
                          : c >= 'a' && c <= 'f' ? c - 'a' + 10
                          : c >= 'A' && c <= 'F' ? c - 'A' + 10
                                                 : -1;
        if (digit < 0) return -1;
        value = value * 16 + digit;
    }
    return value;
}

// Reads \uXXXX, the XXXX being at text[at], and the second half of a pair; gives how many bytes it took from
// `at`.
std::size_t unescape_unicode(std::string_view text, std::size_t at, std::string& out) {
    const std::int32_t first = hex4(text, at);
    if (first < 0) {
        out += "\\u";
        return 0;
    }
    std::size_t taken = 4;
    auto code = static_cast<std::uint32_t>(first);
    if (code >= 0xD800 && code <= 0xDBFF && text.substr(at + 4, 2) == "\\u") {
        const std::int32_t second = hex4(text, at + 6);
        if (second >= 0xDC00 && second <= 0xDFFF) {
            code = 0x10000 + ((code - 0xD800) << 10) + (static_cast<std::uint32_t>(second) - 0xDC00);
            taken = 10;
        }
    }
    put_utf8(code >= 0xD800 && code <= 0xDFFF ? 0xFFFD : code, out);
    return taken;
}

}  // namespace

char* escape(std::string_view bytes, char* out, bool* valid) {
    const auto* at = reinterpret_cast<const unsigned char*>(bytes.data());
    const unsigned char* const end = at + bytes.size();
    while (at < end) {
        // Eight bytes at a time while nothing is special: nearly all of nearly every path. Byte order does
        // not matter for the test as a whole; the exact place is found below, byte by byte.
        while (end - at >= 8) {
            std::uint64_t word;
            std::memcpy(&word, at, 8);
            if (special(word) != 0) break;
            std::memcpy(out, at, 8);
            at += 8, out += 8;
        }
        for (const unsigned char* const stop = end - at > 8 ? at + 8 : end; at < stop;) {
            if (*at >= 0x80) {
                const std::size_t length = utf8_length(at, end);
                if (length == 0) {
                    out = put("\xEF\xBF\xBD", out);
                    if (valid != nullptr) *valid = false;
                    ++at;
                } else {
                    out = put({reinterpret_cast<const char*>(at), length}, out);
                    at += length;
                }
            } else if (*at < 0x20 || *at == '"' || *at == '\\') {
                out = put_control(*at++, out);
            } else {
                *out++ = static_cast<char>(*at++);
            }
        }
    }
    return out;
}

std::string quoted(std::string_view bytes) {
    std::string text(escaped_bound(bytes.size()) + 2, '\0');
    text[0] = '"';
    char* end = escape(bytes, text.data() + 1);
    *end++ = '"';
    text.resize(static_cast<std::size_t>(end - text.data()));
    return text;
}

char* put_member(std::string_view name, std::string_view bytes, char* out) {
    bool valid = true;
    out = put(",\"", out);
    out = put(name, out);
    out = put("\":\"", out);
    out = escape(bytes, out, &valid);
    *out++ = '"';
    if (valid) return out;
    out = put(",\"", out);
    out = put(name, out);
    out = put("_b64\":\"", out);
    out = base64(bytes, out);
    *out++ = '"';
    return out;
}

std::string unescape(std::string_view text) {
    std::string out;
    out.reserve(text.size());
    for (std::size_t i = 0; i < text.size(); ++i) {
        if (text[i] != '\\' || i + 1 == text.size()) {
            out.push_back(text[i]);
            continue;
        }
        switch (const char c = text[++i]; c) {
            case 'n':
                out.push_back('\n');
                break;
            case 'r':
                out.push_back('\r');
                break;
            case 't':
                out.push_back('\t');
                break;
            case 'b':
                out.push_back('\b');
                break;
            case 'f':
                out.push_back('\f');
                break;
            case '"':
            case '\\':
            case '/':
                out.push_back(c);
                break;
            case 'u':
                i += unescape_unicode(text, i + 1, out);
                break;
            default:
                out.push_back('\\'), out.push_back(c);
        }
    }
    return out;
}

char* base64(std::string_view bytes, char* out) {
    for (std::size_t i = 0; i < bytes.size(); i += 3) {
        std::uint32_t group = 0;
        const std::size_t have = std::min<std::size_t>(3, bytes.size() - i);
        for (std::size_t j = 0; j < 3; ++j) {
            group = group << 8 | (j < have ? static_cast<unsigned char>(bytes[i + j]) : 0U);
        }
        for (std::size_t j = 0; j < 4; ++j) *out++ = j <= have ? kAlphabet[group >> (18 - 6 * j) & 63] : '=';
    }
    return out;
}

std::string base64(std::string_view bytes) {
    std::string text(base64_size(bytes.size()), '\0');
    base64(bytes, text.data());
    return text;
}

std::string from_base64(std::string_view text) {
    if (text.size() % 4 != 0) return {};
    std::string out;
    for (std::size_t i = 0; i < text.size(); i += 4) {
        const bool last = i + 4 == text.size();
        const std::size_t padding = last && text[i + 3] == '=' ? (text[i + 2] == '=' ? 2 : 1) : 0;
        std::uint32_t group = 0;
        for (std::size_t j = 0; j < 4; ++j) {
            const int value = j < 4 - padding ? kSextets[static_cast<unsigned char>(text[i + j])] : 0;
            if (value < 0) return {};
            group = group << 6 | static_cast<std::uint32_t>(value);
        }
        for (std::size_t j = 0; j < 3 - padding; ++j)
            out.push_back(static_cast<char>(group >> (16 - 8 * j) & 0xFF));
    }
    return out;
}

}  // namespace reeve::audit
