#include "attestation/jose/signature.hpp"

#include "attestation/openssl.hpp"

namespace reeve::attestation::jose {

namespace {

constexpr int kHalf = 32;  // bytes of r and of s

// RFC 7518 section 3.4: OpenSSL speaks DER, JWS two numbers of fixed width.
std::string der_to_raw(std::string_view der) {
    const unsigned char* at = unsigned_bytes(der);
    Signature signature(d2i_ECDSA_SIG(nullptr, &at, static_cast<long>(der.size())));
    std::string raw(kSignatureSize, '\0');
    auto* out = reinterpret_cast<unsigned char*>(raw.data());
    if (!signature || BN_bn2binpad(ECDSA_SIG_get0_r(signature.get()), out, kHalf) != kHalf ||
        BN_bn2binpad(ECDSA_SIG_get0_s(signature.get()), out + kHalf, kHalf) != kHalf)
        return {};
    return raw;
}

std::string raw_to_der(std::string_view raw) {
    Signature signature(ECDSA_SIG_new());
    Number r(BN_bin2bn(unsigned_bytes(raw), kHalf, nullptr));
    Number s(BN_bin2bn(unsigned_bytes(raw) + kHalf, kHalf, nullptr));
    if (!signature || !r || !s || ECDSA_SIG_set0(signature.get(), r.get(), s.get()) != 1) return {};
    (void)r.release();  // the signature owns them now
    (void)s.release();
    unsigned char* out = nullptr;
    int size = i2d_ECDSA_SIG(signature.get(), &out);
    if (size <= 0) return {};
    std::string der(reinterpret_cast<char*>(out), static_cast<std::size_t>(size));
    OPENSSL_free(out);
    return der;
}

const char* digest_of(Algorithm algorithm) {
    return algorithm == Algorithm::kEs256 ? "SHA256" : nullptr;
}

}  // namespace

Result<std::string> sign_raw(EVP_PKEY* pkey, Algorithm algorithm, std::string_view bytes) {
    DigestContext context(EVP_MD_CTX_new());
    std::string signature(128, '\0');  // a DER signature over P-256 has at most 72 bytes
    std::size_t size = signature.size();
    if (!context ||
        EVP_DigestSignInit_ex(context.get(), nullptr, digest_of(algorithm), nullptr, nullptr, pkey,
                              nullptr) != 1 ||
        EVP_DigestSign(context.get(), reinterpret_cast<unsigned char*>(signature.data()), &size,
                       unsigned_bytes(bytes), bytes.size()) != 1)
        return fail(Fault::kKey, "OpenSSL cannot sign with the key");
    signature.resize(size);
    if (algorithm == Algorithm::kEs256) signature = der_to_raw(signature);
    if (signature.size() != kSignatureSize)
        return fail(Fault::kKey, "OpenSSL gave a signature of another form");
    return signature;
}

Status verify_raw(EVP_PKEY* pkey, Algorithm algorithm, std::string_view bytes, std::string_view signature) {
    if (signature.size() != kSignatureSize)
        return fail(Fault::kSignature,
                    "a signature of " + std::to_string(signature.size()) + " bytes, not 64");
    std::string der;
    if (algorithm == Algorithm::kEs256) {
        der = raw_to_der(signature);
        signature = der;
    }
    DigestContext context(EVP_MD_CTX_new());
    if (!context || EVP_DigestVerifyInit_ex(context.get(), nullptr, digest_of(algorithm), nullptr, nullptr,
                                            pkey, nullptr) != 1)
        return fail(Fault::kKey, "OpenSSL cannot verify with the key");
    if (EVP_DigestVerify(context.get(), unsigned_bytes(signature), signature.size(), unsigned_bytes(bytes),
                         bytes.size()) != 1)
        return fail(Fault::kSignature, "the signature is not the key's");
    return {};
}

}  // namespace reeve::attestation::jose
