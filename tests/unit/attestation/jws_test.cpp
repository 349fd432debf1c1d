#include "attestation/jose/jws.hpp"

#include <gtest/gtest.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>

#include <array>

#include "attestation/jose/base64url.hpp"
#include "tests/unit/attestation/tokens.hpp"
#include "tests/unit/attestation/vectors.hpp"

namespace reeve::attestation::jose {
namespace {

using namespace tests;

constexpr std::array kBoth{Algorithm::kEs256, Algorithm::kEdDsa};
constexpr std::array kEs256Only{Algorithm::kEs256};

Fault fault_of(std::string_view token, const PublicKey& key, std::span<const Algorithm> allowed = kBoth) {
    auto verified = verify_compact(token, allowed, key);
    EXPECT_FALSE(verified) << token;
    return verified ? Fault::kArgument : verified.error().fault;
}

TEST(Jws, Rfc7515A3Verifies) {
    EXPECT_EQ(verify_compact(kRfc7515A3, kEs256Only, *PublicKey::from_jwk(kRfc7515A3Key)), kRfc7515Payload);
    auto key = MemoryKey::from_private_jwk(kRfc7515A3PrivateKey);
    auto token = sign_compact({}, kRfc7515Payload, **key);
    ASSERT_TRUE(token);
    EXPECT_TRUE(token->starts_with(std::string_view(kRfc7515A3).substr(0, 21)));
    EXPECT_EQ(verify_compact(*token, kEs256Only, (*key)->public_key()), kRfc7515Payload);
}

TEST(Jws, Rfc8037A4SignsAndVerifies) {
    auto key = MemoryKey::from_private_jwk(kRfc8037PrivateKey);
    EXPECT_EQ(sign_compact({}, kRfc8037Payload, **key), kRfc8037Token);
    EXPECT_EQ(verify_compact(kRfc8037Token, kBoth, *PublicKey::from_jwk(kRfc8037Key)), kRfc8037Payload);
}

TEST(Jws, Rfc7515A1IsRefused) {
    EXPECT_EQ(fault_of(kRfc7515A1, *PublicKey::from_jwk(kRfc7515A3Key)), Fault::kAlgorithm);
}

TEST(Jws, NoneAndHmacAreRefusedWhateverTheKey) {
    auto key = make_key();
    auto payload = base64url("{}");
    for (std::string_view alg : {"none", "None", "HS256", "ES384", "RS256", "es256", ""}) {
        std::string token = base64url(R"({"alg":")" + std::string(alg) + "\"}") + "." + payload + ".";
        EXPECT_EQ(fault_of(token, key->public_key()), Fault::kAlgorithm) << alg;
    }
    EXPECT_EQ(fault_of(base64url("{}") + "." + payload + ".", key->public_key()), Fault::kAlgorithm);
    std::string token = base64url(R"({"alg":"HS256"})") + "." + payload;
    std::array<unsigned char, 32> mac{};
    unsigned size = mac.size();
    const std::string& secret = key->public_key().jwk();
    HMAC(EVP_sha256(), secret.data(), static_cast<int>(secret.size()),
         reinterpret_cast<const unsigned char*>(token.data()), token.size(), mac.data(), &size);
    token += "." + base64url({reinterpret_cast<char*>(mac.data()), mac.size()});
    EXPECT_EQ(fault_of(token, key->public_key()), Fault::kAlgorithm);
}

TEST(Jws, TheAlgorithmIsTheCallersAndTheKeys) {
    auto p256 = make_key(), ed = make_key(Algorithm::kEdDsa);
    auto token = craft(R"({"alg":"EdDSA"})", "{}", *p256);
    EXPECT_EQ(fault_of(token, p256->public_key()), Fault::kAlgorithm);  // not the key's
    auto other = craft(R"({"alg":"EdDSA"})", "{}", *ed);
    EXPECT_TRUE(verify_compact(other, kBoth, ed->public_key()));
    EXPECT_EQ(fault_of(other, ed->public_key(), kEs256Only), Fault::kAlgorithm);  // not on the list
}

TEST(Jws, SignaturesHaveOneForm) {
    auto key = make_key();
    std::string good = craft(R"({"alg":"ES256"})", "{}", *key);
    ASSERT_TRUE(verify_compact(good, kBoth, key->public_key()));
    std::string signed_part = good.substr(0, good.rfind('.') + 1), raw = tests::open(good).signature;
    auto with = [&](const std::string& signature) { return signed_part + base64url(signature); };
    for (const std::string& bad :
         {raw.substr(1), raw.substr(0, 63), raw + '\0', raw.substr(0, 31) + raw.substr(32), std::string(),
          std::string(64, '\0'), std::string(64, '\xff'), std::string(32, '\0') + raw.substr(32),
          raw.substr(32) + raw.substr(0, 32)})
        EXPECT_EQ(fault_of(with(bad), key->public_key()), Fault::kSignature);
    // DER, which some libraries take too.
    std::string der = std::string("\x30\x44\x02\x20", 4) + raw.substr(0, 32) + "\x02\x20" + raw.substr(32);
    EXPECT_EQ(fault_of(with(der), key->public_key()), Fault::kSignature);
    EXPECT_EQ(fault_of(good + "=", key->public_key()), Fault::kMalformed);
    EXPECT_EQ(fault_of(good + "\n", key->public_key()), Fault::kMalformed);
}

// The last character of 64 bytes in base64url has four bits to spare.
TEST(Jws, BitsBehindTheLastByteAreRefused) {
    auto key = make_key();
    std::string token = craft(R"({"alg":"ES256"})", "{}", *key);
    constexpr std::string_view kAlphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    token.back() = kAlphabet[kAlphabet.find(token.back()) | 1];
    EXPECT_EQ(fault_of(token, key->public_key()), Fault::kMalformed);
}

TEST(Jws, ShortNumbersArePaddedOnTheLeft) {
    auto key = make_key();
    // One signature in 256 has an r that begins with a zero byte: enough rounds to meet some.
    int padded = 0;
    for (int i = 0; i < 2000; ++i) {
        std::string text = std::to_string(i), signature = *key->sign(text);
        ASSERT_EQ(signature.size(), 64u);
        ASSERT_TRUE(key->public_key().verify(text, signature));
        padded += signature[0] == 0 || signature[32] == 0;
    }
    EXPECT_GT(padded, 0);
}

TEST(Jws, HeadersAreStrict) {
    auto key = make_key();
    auto with = [&](std::string_view header) { return craft(header, "{}", *key); };
    EXPECT_EQ(fault_of(with(R"({"alg":"ES256","crit":["exp"],"exp":1})"), key->public_key()),
              Fault::kCritical);
    EXPECT_EQ(fault_of(with(R"({"alg":"ES256","crit":[]})"), key->public_key()), Fault::kCritical);
    EXPECT_EQ(fault_of(with(R"({"alg":"none","alg":"ES256"})"), key->public_key()), Fault::kMalformed);
    EXPECT_EQ(fault_of(with(R"({"alg":["ES256"]})"), key->public_key()), Fault::kMalformed);
    EXPECT_EQ(fault_of(with(R"({"alg":"ES256","kid":7})"), key->public_key()), Fault::kMalformed);
    EXPECT_EQ(fault_of(with(R"(["ES256"])"), key->public_key()), Fault::kMalformed);
    EXPECT_EQ(fault_of(with(R"({"alg":"ES256","x":")" + std::string(2000, 'x') + "\"}"), key->public_key()),
              Fault::kMalformed);
    EXPECT_TRUE(
        verify_compact(with(R"({"alg":"ES256","typ":"x","other":{"a":1}})"), kBoth, key->public_key()));
}

TEST(Jws, KeysInHeadersAreNeverFollowed) {
    auto ours = make_key(), theirs = make_key();
    std::string header = R"({"alg":"ES256","jwk":)" + theirs->public_key().jwk() +
                         R"(,"jku":"https://evil.example/jwks","x5u":"https://evil.example/x5u"})";
    EXPECT_EQ(fault_of(craft(header, "{}", *theirs), ours->public_key()), Fault::kSignature);
    EXPECT_TRUE(verify_compact(craft(header, "{}", *ours), kBoth, ours->public_key()));
}

TEST(Jws, HasThreePartsAndABound) {
    auto key = make_key();
    std::string good = craft(R"({"alg":"ES256"})", "{}", *key);
    std::size_t last = good.rfind('.');
    for (const std::string& bad : {good + ".", good + ".AA", good.substr(0, last), std::string(),
                                   std::string("."), std::string(".."), std::string(100000, 'A')})
        EXPECT_EQ(fault_of(bad, key->public_key()), Fault::kMalformed);
    EXPECT_EQ(fault_of(craft(R"({"alg":"ES256"})", std::string(kMaxToken, 'x'), *key), key->public_key()),
              Fault::kTooLarge);
    EXPECT_FALSE(sign_compact({}, std::string(kMaxToken, 'x'), *key));
}

TEST(Jws, AnyChangedByteIsSeen) {
    auto key = make_key();
    std::string good = craft(R"({"alg":"ES256","typ":"t"})", R"({"a":"b"})", *key);
    for (std::size_t i = 0; i < good.size(); ++i) {
        std::string bad = good;
        bad[i] = bad[i] == 'A' ? 'B' : 'A';
        EXPECT_FALSE(verify_compact(bad, kBoth, key->public_key())) << i;
    }
}

}  // namespace
}  // namespace reeve::attestation::jose
