#include "attestation/jose/base64url.hpp"

#include <gtest/gtest.h>

namespace reeve::attestation::jose {
namespace {

TEST(Base64url, GoesBothWays) {
    // RFC 4648 section 10, without padding.
    for (auto [bytes, text] : {std::pair("", ""),
                               {"f", "Zg"},
                               {"fo", "Zm8"},
                               {"foo", "Zm9v"},
                               {"foob", "Zm9vYg"},
                               {"fooba", "Zm9vYmE"}}) {
        EXPECT_EQ(base64url(bytes), text);
        EXPECT_EQ(from_base64url(text), bytes);
    }
    std::string all;
    for (int i = 0; i < 256; ++i) all += static_cast<char>(i);
    EXPECT_EQ(from_base64url(base64url(all)), all);
    EXPECT_EQ(base64url("\xff\xef"), "_-8");  // RFC 7515 appendix C's alphabet
}

TEST(Base64url, HasOneTextForEachByteString) {
    for (std::string_view text : {"Z", "Zg==", "Zg=", "Zh", "Zm9", "Zm8 ", " Zm8", "Zm\n8", "_+8", "/-8",
                                  "Zm9vY", "Zm9v.", "Zm9v\xc3\xa9zz"})
        EXPECT_FALSE(from_base64url(text)) << text;
    EXPECT_FALSE(from_base64url(std::string_view("Zm\0v", 4)));
}

TEST(Base64url, HashesAsTheStandardSays) {
    // FIPS 180-2, "abc".
    EXPECT_EQ(sha256_base64url("abc"), "ungWv48Bz-pBQUDeXa4iI7ADYaOWF3qctBD_YfIAFa0");
}

}  // namespace
}  // namespace reeve::attestation::jose
