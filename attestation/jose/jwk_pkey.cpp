#include "attestation/jose/jwk_pkey.hpp"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <string>

#include "attestation/jose/base64url.hpp"

namespace reeve::attestation::jose {

namespace {

using nlohmann::json;
using Pkey = std::shared_ptr<EVP_PKEY>;

constexpr std::size_t kCoordinate = 32;  // bytes of a P-256 coordinate or scalar, and of an Ed25519 key

std::string text_of(const json& jwk, const char* member) {
    auto it = jwk.find(member);
    return it != jwk.end() && it->is_string() ? it->get<std::string>() : std::string();
}

// RFC 7518 section 6.2.1.2: the full size of a coordinate, leading zeros included.
Result<std::string> coordinate(const json& jwk, const char* member) {
    auto bytes = from_base64url(text_of(jwk, member));
    if (!bytes || bytes->size() != kCoordinate)
        return fail(Fault::kKey, std::string("\"") + member + "\" of the JWK is not 32 bytes in base64url");
    return bytes;
}

Result<Pkey> ec_key(const json& jwk, Half half) {
    auto x = coordinate(jwk, "x"), y = coordinate(jwk, "y");
    if (!x) return std::unexpected(x.error());
    if (!y) return std::unexpected(y.error());
    std::string point = "\x04" + *x + *y;
    Number scalar;
    if (half == Half::kPrivate) {
        auto d = coordinate(jwk, "d");
        if (!d) return std::unexpected(d.error());
        scalar.reset(BN_bin2bn(unsigned_bytes(*d), kCoordinate, BN_secure_new()));
        OPENSSL_cleanse(d->data(), d->size());
    }
    ParamBuilder builder(OSSL_PARAM_BLD_new());
    OSSL_PARAM_BLD_push_utf8_string(builder.get(), OSSL_PKEY_PARAM_GROUP_NAME, "prime256v1", 0);
    OSSL_PARAM_BLD_push_octet_string(builder.get(), OSSL_PKEY_PARAM_PUB_KEY, point.data(), point.size());
    if (scalar) OSSL_PARAM_BLD_push_BN(builder.get(), OSSL_PKEY_PARAM_PRIV_KEY, scalar.get());
    Params params(OSSL_PARAM_BLD_to_param(builder.get()));
    PkeyContext context(EVP_PKEY_CTX_new_from_name(nullptr, "EC", nullptr));
    EVP_PKEY* made = nullptr;
    int selection = half == Half::kPrivate ? EVP_PKEY_KEYPAIR : EVP_PKEY_PUBLIC_KEY;
    if (!params || EVP_PKEY_fromdata_init(context.get()) != 1 ||
        EVP_PKEY_fromdata(context.get(), &made, selection, params.get()) != 1)
        return fail(Fault::kKey, "the point of the JWK is not on P-256");
    return share(made);
}

Result<Pkey> okp_key(const json& jwk, Half half) {
    auto x = coordinate(jwk, "x");
    if (!x) return std::unexpected(x.error());
    EVP_PKEY* made = nullptr;
    if (half == Half::kPublic) {
        made = EVP_PKEY_new_raw_public_key(EVP_PKEY_ED25519, nullptr, unsigned_bytes(*x), x->size());
    } else {
        auto d = coordinate(jwk, "d");
        if (!d) return std::unexpected(d.error());
        made = EVP_PKEY_new_raw_private_key(EVP_PKEY_ED25519, nullptr, unsigned_bytes(*d), d->size());
        OPENSSL_cleanse(d->data(), d->size());
    }
    if (!made) return fail(Fault::kKey, "OpenSSL refuses the Ed25519 key");
    Pkey key = share(made);
    std::string actual(kCoordinate, '\0');
    std::size_t size = actual.size();
    if (EVP_PKEY_get_raw_public_key(key.get(), reinterpret_cast<unsigned char*>(actual.data()), &size) != 1 ||
        actual != *x)
        return fail(Fault::kKey, "\"x\" and \"d\" of the JWK are not one key");
    return key;
}

// "alg", "use" and "key_ops" are optional, but where they are there they must allow what we are about to do.
Status fits(const json& jwk, std::string_view algorithm, Half half) {
    if (jwk.contains("alg") && text_of(jwk, "alg") != algorithm)
        return fail(Fault::kKey, "\"alg\" of the JWK is not " + std::string(algorithm));
    if (jwk.contains("use") && text_of(jwk, "use") != "sig")
        return fail(Fault::kKey, "\"use\" of the JWK is not sig");
    if (auto ops = jwk.find("key_ops"); ops != jwk.end()) {
        const char* wanted = half == Half::kPublic ? "verify" : "sign";
        if (!ops->is_array() || std::ranges::find(*ops, json(wanted)) == ops->end())
            return fail(Fault::kKey, std::string("\"key_ops\" of the JWK does not have ") + wanted);
    }
    return {};
}

}  // namespace

Result<Pkey> pkey_of(const json& jwk, Half half) {
    if (half == Half::kPublic && jwk.contains("d"))
        return fail(Fault::kKey, "a private JWK where a public one belongs");
    std::string kind = text_of(jwk, "kty") + " " + text_of(jwk, "crv");
    bool is_ec = kind == "EC P-256";
    if (!is_ec && kind != "OKP Ed25519")
        return fail(Fault::kKey, "the JWK is neither an EC key on P-256 nor an OKP key on Ed25519");
    if (auto fit = fits(jwk, is_ec ? "ES256" : "EdDSA", half); !fit) return std::unexpected(fit.error());
    auto key = is_ec ? ec_key(jwk, half) : okp_key(jwk, half);
    if (!key || !is_ec)
        return key;  // OpenSSL 3.0 has no checks for Ed25519; every 32 bytes but few are a key
    PkeyContext context(EVP_PKEY_CTX_new_from_pkey(nullptr, key->get(), nullptr));
    bool good = half == Half::kPublic ? EVP_PKEY_public_check(context.get()) == 1
                                      : EVP_PKEY_pairwise_check(context.get()) == 1;
    if (!good) return fail(Fault::kKey, "the JWK is not a sound P-256 key");
    return key;
}

}  // namespace reeve::attestation::jose
