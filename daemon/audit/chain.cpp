#include "daemon/audit/chain.hpp"

#include <openssl/evp.h>

#include <cstdlib>

namespace reeve::audit {

char* put_hex(const ChainValue& value, char* out) {
    for (const unsigned char byte : value) {
        *out++ = "0123456789abcdef"[byte >> 4];
        *out++ = "0123456789abcdef"[byte & 15];
    }
    return out;
}

std::string hex(const ChainValue& value) {
    std::string text(64, '\0');
    put_hex(value, text.data());
    return text;
}

std::optional<ChainValue> from_hex(std::string_view text) {
    ChainValue value;
    if (text.size() != 2 * value.size()) return std::nullopt;
    for (std::size_t i = 0; i < text.size(); ++i) {
        const char c = text[i];
        // Lower case alone: one value has one text.
        const int digit = c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
        if (digit < 0) return std::nullopt;
        unsigned char& byte = value[i / 2];
        byte = static_cast<unsigned char>(i % 2 == 0 ? digit << 4 : byte | digit);
    }
    return value;
}

ChainValue sha256(std::string_view bytes) {
    ChainValue value;
    if (EVP_Digest(bytes.data(), bytes.size(), value.data(), nullptr, EVP_sha256(), nullptr) != 1)
        std::abort();
    return value;
}

void Chain::Free::operator()(EVP_MD_CTX* context) const {
    EVP_MD_CTX_free(context);
}
void Chain::Free::operator()(EVP_MD* digest) const {
    EVP_MD_free(digest);
}

// Without SHA-256 or memory there is no log to keep, and nothing that a caller could do: the process ends.
Chain::Chain(const ChainValue& start)
    : digest_(EVP_MD_fetch(nullptr, "SHA256", nullptr)), context_(EVP_MD_CTX_new()), value_(start) {
    if (!digest_ || !context_ || EVP_DigestInit_ex2(context_.get(), digest_.get(), nullptr) != 1)
        std::abort();
}

const ChainValue& Chain::add(std::string_view line) {
    // With a null digest the context is only set back: no look-up, no allocation.
    if (EVP_DigestInit_ex2(context_.get(), nullptr, nullptr) != 1 ||
        EVP_DigestUpdate(context_.get(), value_.data(), value_.size()) != 1 ||
        EVP_DigestUpdate(context_.get(), line.data(), line.size()) != 1 ||
        EVP_DigestFinal_ex(context_.get(), value_.data(), nullptr) != 1) {
        std::abort();
    }
    return value_;
}

}  // namespace reeve::audit
