#include "attestation/jose/jwk.hpp"

#include <gtest/gtest.h>

#include "tests/unit/attestation/tokens.hpp"
#include "tests/unit/attestation/vectors.hpp"

namespace reeve::attestation::jose {
namespace {

using namespace tests;

std::string with(std::string jwk, std::string_view more) {
    return jwk.insert(1, std::string(more) + ",");
}

std::string replaced(std::string text, std::string_view what, std::string_view by) {
    text.replace(text.find(what), what.size(), by);
    return text;
}

TEST(Jwk, ThumbprintsAreThoseOfTheRfcs) {
    EXPECT_EQ(thumbprint(kRfc7638Key), kRfc7638Thumbprint);
    EXPECT_EQ(thumbprint(kRfc8037Key), kRfc8037Thumbprint);
    EXPECT_EQ(PublicKey::from_jwk(kRfc8037Key)->thumbprint(), kRfc8037Thumbprint);
    EXPECT_EQ(thumbprint(kRfc7515A3PrivateKey), PublicKey::from_jwk(kRfc7515A3Key)->thumbprint());
    EXPECT_FALSE(thumbprint(R"({"kty":"oct","k":"AA"})"));
    EXPECT_FALSE(thumbprint(R"({"kty":"EC","crv":"P-256","x":"AA"})"));
}

TEST(Jwk, ComesBackAsItWent) {
    for (auto algorithm : {Algorithm::kEs256, Algorithm::kEdDsa}) {
        auto key = make_key(algorithm);
        auto read = PublicKey::from_jwk(key->public_key().jwk());
        ASSERT_TRUE(read);
        EXPECT_EQ(read->jwk(), key->public_key().jwk());
        EXPECT_EQ(read->thumbprint(), key->thumbprint());
        EXPECT_EQ(read->algorithm(), algorithm);
    }
}

TEST(Jwk, RefusesWhatIsNoKeyForUs) {
    std::string good = kRfc7515A3Key;
    ASSERT_TRUE(PublicKey::from_jwk(good));
    EXPECT_TRUE(
        PublicKey::from_jwk(with(good, R"("alg":"ES256","use":"sig","key_ops":["verify"],"kid":"x")")));
    for (
        const std::string& bad : {
            std::string(kRfc7515A3PrivateKey),
            std::string(kRfc7638Key),
            std::string(
                R"({"kty":"oct","k":"AyM1SysPpbyDfgZld3umj1qzKObwVMkoqQ-EstJQLr_T-1qS0gZH75aKtMN3Yj0iPS4hcgUuTwjAzZr1Z9CAow"})"),
            with(good, R"("alg":"ES384")"),
            with(good, R"("alg":"HS256")"),
            with(good, R"("use":"enc")"),
            with(good, R"("key_ops":["sign"])"),
            with(good, R"("key_ops":"verify")"),
            replaced(good, "P-256", "P-384"),
            replaced(good, "\"EC\"", "\"OKP\""),
            replaced(good, "f83O", "f93O"),              // off the curve
            replaced(good, "f83OJ3D2xF1Bg8vub9tL", ""),  // short coordinate
            replaced(good, "\"x\"", "\"z\""),
        })
        EXPECT_FALSE(PublicKey::from_jwk(bad)) << bad;
    EXPECT_FALSE(PublicKey::from_jwk(with(good, R"("kty":"EC")")));  // twice
}

TEST(Jwk, SetsLeaveOutWhatTheyCannotUseButNeverHoldSecrets) {
    std::string ec = kRfc7515A3Key, okp = kRfc8037Key, rsa = kRfc7638Key;
    auto keys = parse_jwks(R"({"keys":[)" + ec + "," + rsa + "," + okp + R"(,{"kty":"new"}]})");
    ASSERT_TRUE(keys);
    EXPECT_EQ(keys->size(), 2u);
    EXPECT_EQ(parse_jwks(ec)->size(), 1u);
    EXPECT_EQ(parse_jwks(R"({"keys":[]})")->size(), 0u);
    EXPECT_FALSE(parse_jwks(R"({"keys":[)" + std::string(kRfc7515A3PrivateKey) + "]}"));
    EXPECT_FALSE(parse_jwks(R"({"keys":[{"kty":"oct","k":"AA"}]})"));
    EXPECT_FALSE(parse_jwks(R"({"keys":{}})"));
    EXPECT_FALSE(parse_jwks(R"({"keys":[1]})"));
    EXPECT_FALSE(parse_jwks("[]"));
}

TEST(MemoryKey, RefusesHalvesThatDoNotBelongTogether) {
    EXPECT_TRUE(MemoryKey::from_private_jwk(kRfc7515A3PrivateKey));
    EXPECT_FALSE(MemoryKey::from_private_jwk(kRfc7515A3Key));
    EXPECT_FALSE(MemoryKey::from_private_jwk(replaced(kRfc7515A3PrivateKey, "jpsQ", "jqsQ")));
    EXPECT_TRUE(MemoryKey::from_private_jwk(kRfc8037PrivateKey));
    EXPECT_FALSE(MemoryKey::from_private_jwk(replaced(kRfc8037PrivateKey, "nWGx", "nXGx")));
}

}  // namespace
}  // namespace reeve::attestation::jose
