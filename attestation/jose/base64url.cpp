#include "attestation/jose/base64url.hpp"

#include <openssl/evp.h>

#include <array>
#include <cstdint>
#include <stdexcept>

namespace reeve::attestation::jose {

namespace {

constexpr std::string_view kAlphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
constexpr std::uint8_t kNoDigit = 0xff;

constexpr auto kDigits = [] {
    std::array<std::uint8_t, 256> digits{};
    digits.fill(kNoDigit);
    for (std::uint8_t i = 0; i < 64; ++i) digits[static_cast<std::uint8_t>(kAlphabet[i])] = i;
    return digits;
}();

}  // namespace

std::string base64url(std::string_view bytes) {
    std::string text;
    text.reserve((bytes.size() * 4 + 2) / 3);
    std::uint32_t bits = 0;
    int held = 0;
    for (char c : bytes) {
        bits = (bits << 8) | static_cast<std::uint8_t>(c);
        for (held += 8; held >= 6; held -= 6) text += kAlphabet[(bits >> (held - 6)) & 63];
    }
    if (held > 0) text += kAlphabet[(bits << (6 - held)) & 63];
    return text;
}

Result<std::string> from_base64url(std::string_view text) {
    if (text.size() % 4 == 1) return fail(Fault::kMalformed, "base64url of an impossible length");
    std::string bytes;
    bytes.reserve(text.size() * 3 / 4);
    std::uint32_t bits = 0;
    int held = 0;
    for (char c : text) {
        std::uint8_t digit = kDigits[static_cast<std::uint8_t>(c)];
        if (digit == kNoDigit) return fail(Fault::kMalformed, "a character that is not of base64url");
        bits = (bits << 6) | digit;
        held += 6;
        if (held >= 8) {
            held -= 8;
            bytes += static_cast<char>((bits >> held) & 0xff);
        }
    }
    if ((bits & ((1u << held) - 1)) != 0)
        return fail(Fault::kMalformed, "bits set behind the last byte of base64url");
    return bytes;
}

std::string sha256(std::string_view bytes) {
    std::array<unsigned char, 32> digest{};
    // Fails only where OpenSSL has no SHA-256 or no memory: nothing that a caller could act on.
    if (EVP_Digest(bytes.data(), bytes.size(), digest.data(), nullptr, EVP_sha256(), nullptr) != 1)
        throw std::runtime_error("OpenSSL has no SHA-256");
    return {reinterpret_cast<const char*>(digest.data()), digest.size()};
}

std::string sha256_base64url(std::string_view bytes) {
    return base64url(sha256(bytes));
}

}  // namespace reeve::attestation::jose
