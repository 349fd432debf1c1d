// The hash chain of the log: each value is SHA-256(previous value as 32 bytes || the line's bytes before
// ,"chain":).
#pragma once

#include <openssl/types.h>

#include <array>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

namespace reeve::audit {

using ChainValue = std::array<unsigned char, 32>;  // all zero before the first record

inline constexpr std::string_view kChainMember = ",\"chain\":\"";
inline constexpr std::size_t kChainTail = kChainMember.size() + 64 + 2;  // up to and with "}

char* put_hex(const ChainValue& value, char* out);  // 64 lower-case digits
std::string hex(const ChainValue& value);
std::optional<ChainValue> from_hex(std::string_view text);
ChainValue sha256(std::string_view bytes);

// One digest context, used again for each record. Not for more than one thread at a time.
class Chain {
  public:
    explicit Chain(const ChainValue& start = {});
    void restart(const ChainValue& value) { value_ = value; }
    // Takes the line's bytes before ,"chain": and moves on.
    const ChainValue& add(std::string_view line);
    const ChainValue& value() const { return value_; }

  private:
    struct Free {
        void operator()(EVP_MD_CTX* context) const;
        void operator()(EVP_MD* digest) const;
    };
    std::unique_ptr<EVP_MD, Free> digest_;
    std::unique_ptr<EVP_MD_CTX, Free> context_;
    ChainValue value_;
};

}  // namespace reeve::audit
