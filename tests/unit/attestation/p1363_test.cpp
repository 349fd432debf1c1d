// Edge cases of raw (IEEE P1363) ECDSA signatures over P-256. The cases are those of Project Wycheproof,
// testvectors_v1/ecdsa_secp256r1_sha256_p1363_test.json in C2SP/wycheproof (flags InvalidSignature, RangeCheck,
// ModifiedInteger, IntegerOverflow, SignatureSize), worked out here for the signature that RFC 7515 prints in
// appendix A.3.
#include <gtest/gtest.h>

#include <functional>

#include "attestation/jose/jwk.hpp"
#include "attestation/openssl.hpp"
#include "tests/unit/attestation/tokens.hpp"
#include "tests/unit/attestation/vectors.hpp"

namespace reeve::attestation::tests {
namespace {

// FIPS 186-4 D.1.2.3: the order of the group, and the prime of the field.
constexpr char kN[] = "FFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551";
constexpr char kP[] = "FFFFFFFF00000001000000000000000000000000FFFFFFFFFFFFFFFFFFFFFFFF";

Number hex(const char* digits) {
    BIGNUM* number = nullptr;
    BN_hex2bn(&number, digits);
    return Number(number);
}

Number plus(const Number& a, const Number& b) {
    Number sum(BN_new());
    BN_add(sum.get(), a.get(), b.get());
    return sum;
}

Number minus(const Number& a, const Number& b) {
    Number difference(BN_new());
    BN_sub(difference.get(), a.get(), b.get());
    return difference;
}

Number power_of_two(int exponent) {
    Number power(BN_new());
    BN_set_bit(power.get(), exponent);
    return power;
}

Number times_256(const Number& a) {
    Number product(BN_new());
    BN_lshift(product.get(), a.get(), 8);
    return product;
}

std::string bytes(const Number& number, std::size_t width) {
    std::string out(width, '\0');
    EXPECT_EQ(
        BN_bn2binpad(number.get(), reinterpret_cast<unsigned char*>(out.data()), static_cast<int>(width)),
        static_cast<int>(width));
    return out;
}

std::size_t width_of(const Number& number) {
    return std::max<std::size_t>(32, static_cast<std::size_t>(BN_num_bytes(number.get())));
}

class P1363 : public testing::Test {
  protected:
    P1363() {
        std::string_view token = kRfc7515A3;
        text_ = token.substr(0, token.rfind('.'));
        raw_ = open(token).signature;
        r_ = Number(BN_bin2bn(unsigned_bytes(raw_), 32, nullptr));
        s_ = Number(BN_bin2bn(unsigned_bytes(raw_) + 32, 32, nullptr));
    }

    bool verifies(const std::string& signature) const { return key_.verify(text_, signature).has_value(); }
    // Both halves as wide as the wider one needs, as Wycheproof writes them.
    bool verifies(const Number& r, const Number& s) const {
        std::size_t width = std::max(width_of(r), width_of(s));
        return verifies(bytes(r, width) + bytes(s, width));
    }

    const jose::PublicKey key_ = jose::PublicKey::from_jwk(kRfc7515A3Key).value();
    std::string text_, raw_;
    Number r_, s_;
    const Number n_ = hex(kN), p_ = hex(kP), one_ = hex("1");
};

TEST_F(P1363, TheSignatureItselfAndItsMirrorVerify) {
    EXPECT_TRUE(verifies(raw_));
    EXPECT_TRUE(verifies(r_, s_));
    // Wycheproof's first case, "signature malleability", is valid: n - s is another signature of the same text.
    // Tokens are told apart by "jti", never by their bytes.
    EXPECT_TRUE(verifies(r_, minus(n_, s_)));
}

TEST_F(P1363, SpecialValuesOfBothHalvesAreRefused) {
    const std::function<Number()> values[] = {
        [] { return hex("0"); },        [&] { return hex("1"); },       [&] { return minus(n_, one_); },
        [&] { return hex(kN); },        [&] { return plus(n_, one_); }, [&] { return hex(kP); },
        [&] { return plus(p_, one_); },
    };
    for (const auto& r : values)
        for (const auto& s : values) EXPECT_FALSE(verifies(r(), s()));
    for (const auto& value : values) {
        EXPECT_FALSE(verifies(r_, value()));
        EXPECT_FALSE(verifies(value(), s_));
    }
}

TEST_F(P1363, NumbersThatAreTheSameToACarelessReaderAreRefused) {
    EXPECT_FALSE(verifies(plus(r_, n_), s_));
    EXPECT_FALSE(verifies(r_, plus(s_, n_)));
    EXPECT_FALSE(verifies(minus(n_, r_), s_));
    EXPECT_FALSE(verifies(plus(r_, times_256(n_)), s_));
    EXPECT_FALSE(verifies(r_, plus(s_, times_256(n_))));
    for (int exponent : {256, 320}) {
        EXPECT_FALSE(verifies(plus(r_, power_of_two(exponent)), s_));
        EXPECT_FALSE(verifies(r_, plus(s_, power_of_two(exponent))));
    }
}

TEST_F(P1363, OtherSizesAreRefusedAlsoWhereTheNumbersAreRight) {
    for (std::size_t width : {33u, 34u, 40u, 48u, 64u})
        EXPECT_FALSE(verifies(bytes(r_, width) + bytes(s_, width)));
    EXPECT_FALSE(verifies(std::string()));
    EXPECT_FALSE(verifies(raw_.substr(0, 32)));
    // Signatures whose halves have a leading zero, written without it: sign until there are some.
    auto key = make_key();
    bool short_r = false, short_s = false;
    for (int i = 0; i < 100'000 && !(short_r && short_s); ++i) {
        std::string text = std::to_string(i), raw = key->sign(text).value();
        ASSERT_TRUE(key->public_key().verify(text, raw));
        if (raw[0] == 0) {
            short_r = true;
            EXPECT_FALSE(key->public_key().verify(text, raw.substr(1)));
        }
        if (raw[32] == 0) {
            short_s = true;
            EXPECT_FALSE(key->public_key().verify(text, raw.substr(0, 32) + raw.substr(33)));
        }
    }
    EXPECT_TRUE(short_r && short_s);
}

}  // namespace
}  // namespace reeve::attestation::tests
