#include "attestation/jose/jwk.hpp"

#include <array>
#include <nlohmann/json.hpp>

#include "attestation/jose/base64url.hpp"
#include "attestation/jose/json.hpp"
#include "attestation/jose/jwk_pkey.hpp"
#include "attestation/jose/signature.hpp"

namespace reeve::attestation::jose {

namespace {

using nlohmann::json;

// The members that RFC 7638 section 3.2 (and RFC 8037 section 2) hash for each "kty".
std::vector<const char*> required_members(std::string_view kty) {
    if (kty == "EC") return {"crv", "kty", "x", "y"};
    if (kty == "OKP") return {"crv", "kty", "x"};
    if (kty == "RSA") return {"e", "kty", "n"};
    return {};
}

Result<std::string> canonical(const json& jwk) {
    auto kty = jwk.find("kty");
    auto members = kty != jwk.end() && kty->is_string() ? required_members(kty->get<std::string>())
                                                        : required_members("");
    if (members.empty()) return fail(Fault::kKey, "\"kty\" of the JWK is not EC, OKP or RSA");
    json required = json::object();
    for (const char* member : members) {
        auto it = jwk.find(member);
        if (it == jwk.end() || !it->is_string())
            return fail(Fault::kKey, std::string("the JWK has no \"") + member + "\"");
        required[member] = *it;
    }
    return required.dump();  // the library keeps members in lexical order and adds no spaces
}

std::string big_endian(EVP_PKEY* pkey, const char* parameter) {
    BIGNUM* found = nullptr;
    EVP_PKEY_get_bn_param(pkey, parameter, &found);
    Number number(found);
    std::string bytes(32, '\0');
    if (!number || BN_bn2binpad(number.get(), reinterpret_cast<unsigned char*>(bytes.data()), 32) != 32)
        return {};
    return bytes;
}

std::string jwk_of_p256(EVP_PKEY* pkey) {
    std::string x = big_endian(pkey, OSSL_PKEY_PARAM_EC_PUB_X),
                y = big_endian(pkey, OSSL_PKEY_PARAM_EC_PUB_Y);
    if (x.empty() || y.empty()) return {};
    return R"({"crv":"P-256","kty":"EC","x":")" + base64url(x) + R"(","y":")" + base64url(y) + "\"}";
}

std::string jwk_of_ed25519(EVP_PKEY* pkey) {
    std::string x(32, '\0');
    std::size_t size = x.size();
    if (EVP_PKEY_get_raw_public_key(pkey, reinterpret_cast<unsigned char*>(x.data()), &size) != 1) return {};
    return R"({"crv":"Ed25519","kty":"OKP","x":")" + base64url(x) + "\"}";
}

bool is_p256(EVP_PKEY* pkey) {
    std::array<char, 64> group{};
    std::size_t size = 0;
    return EVP_PKEY_is_a(pkey, "EC") == 1 &&
           EVP_PKEY_get_group_name(pkey, group.data(), group.size(), &size) == 1 &&
           std::string_view(group.data(), size) == "prime256v1";
}

}  // namespace

std::string_view name(Algorithm algorithm) {
    return algorithm == Algorithm::kEs256 ? "ES256" : "EdDSA";
}

PublicKey::PublicKey(std::shared_ptr<EVP_PKEY> pkey, Algorithm algorithm, std::string jwk)
    : pkey_(std::move(pkey)),
      algorithm_(algorithm),
      jwk_(std::move(jwk)),
      thumbprint_(sha256_base64url(jwk_)) {}

Result<PublicKey> PublicKey::from_pkey(std::shared_ptr<EVP_PKEY> pkey) {
    bool p256 = is_p256(pkey.get());
    if (!p256 && EVP_PKEY_is_a(pkey.get(), "ED25519") != 1)
        return fail(Fault::kKey, "the key is neither on P-256 nor on Ed25519");
    std::string jwk = p256 ? jwk_of_p256(pkey.get()) : jwk_of_ed25519(pkey.get());
    if (jwk.empty()) return fail(Fault::kKey, "OpenSSL does not give the public half of the key");
    return PublicKey(std::move(pkey), p256 ? Algorithm::kEs256 : Algorithm::kEdDsa, std::move(jwk));
}

Result<PublicKey> PublicKey::from_jwk(std::string_view text) {
    auto jwk = parse_object(text, kMaxJwk);
    if (!jwk) return std::unexpected(jwk.error());
    auto pkey = pkey_of(*jwk, Half::kPublic);
    if (!pkey) return std::unexpected(pkey.error());
    return from_pkey(*pkey);
}

Status PublicKey::verify(std::string_view bytes, std::string_view signature) const {
    return verify_raw(pkey_.get(), algorithm_, bytes, signature);
}

Result<std::string> thumbprint(std::string_view text) {
    auto jwk = parse_object(text, kMaxJwk);
    if (!jwk) return std::unexpected(jwk.error());
    auto required = canonical(*jwk);
    if (!required) return std::unexpected(required.error());
    return sha256_base64url(*required);
}

Result<std::vector<PublicKey>> parse_jwks(std::string_view text) {
    auto set = parse_object(text, kMaxJwks);
    if (!set) return std::unexpected(set.error());
    json single = json::array();
    if (!set->contains("keys")) single.push_back(*set);
    const json& list = set->contains("keys") ? set->at("keys") : single;
    if (!list.is_array()) return fail(Fault::kMalformed, "\"keys\" of the JWK Set is not an array");
    std::vector<PublicKey> keys;
    for (const json& jwk : list) {
        if (!jwk.is_object()) return fail(Fault::kMalformed, "a key of the JWK Set is not an object");
        if (jwk.contains("d") || jwk.contains("k"))
            return fail(Fault::kKey, "a private or secret key in a set of public keys");
        auto pkey = pkey_of(jwk, Half::kPublic);
        if (!pkey) continue;
        if (auto key = PublicKey::from_pkey(*pkey)) keys.push_back(*std::move(key));
    }
    return keys;
}

}  // namespace reeve::attestation::jose
