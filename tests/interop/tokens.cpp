// Prints one JSON object: a verifier's keys, good presentations by ours, and forgeries, each wrong in one respect
// and otherwise as a device would sign it. Everything is made now: evidence lives for two minutes.
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/pem.h>

#include <array>
#include <cstdio>
#include <functional>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "attestation/jose/base64url.hpp"
#include "attestation/jose/jwk_pkey.hpp"
#include "tests/unit/attestation/tokens.hpp"

namespace {

using namespace reeve::attestation;
using namespace reeve::attestation::tests;
using nlohmann::json;

const Sources kSources = system_sources();

std::string fresh_challenge() {
    return random_id(kSources.random).value() + random_id(kSources.random).value();
}

// One presentation, member by member, before it is signed.
struct Draft {
    const MemoryKey &key, &other;
    std::string challenge = fresh_challenge();
    json header, claims, proof_header, proof;
    std::string evidence_token, proof_token;  // after sign()

    Draft(const MemoryKey& device, const MemoryKey& another) : key(device), other(another) {
        const std::string audience(kAudience);
        Claims posture = sample_claims(kSources.clock());
        auto made = make_evidence(posture, {audience, challenge}, key, kSources).value();
        auto proved = make_proof({audience, challenge, made}, key, kSources).value();
        header = json::parse(open(made).header);
        claims = json::parse(open(made).payload);
        proof_header = json::parse(open(proved).header);
        proof = json::parse(open(proved).payload);
    }

    void sign_evidence() { evidence_token = craft(header.dump(), claims.dump(), key); }
    // Names the evidence as it is now.
    void sign_proof() {
        proof["evh"] = jose::sha256_base64url(evidence_token);
        proof_token = craft(proof_header.dump(), proof.dump(), key);
    }
};

std::string signed_part(const std::string& token) {
    return token.substr(0, token.rfind('.'));
}

std::string hmac_signed(const json& header, const json& claims, const std::string& secret) {
    std::string text = jose::base64url(header.dump()) + "." + jose::base64url(claims.dump());
    std::array<unsigned char, 32> mac{};
    unsigned size = mac.size();
    HMAC(EVP_sha256(), secret.data(), static_cast<int>(secret.size()),
         reinterpret_cast<const unsigned char*>(text.data()), text.size(), mac.data(), &size);
    return text + "." + jose::base64url({reinterpret_cast<char*>(mac.data()), mac.size()});
}

std::string pem_of(const MemoryKey& key) {
    auto pkey = jose::pkey_of(json::parse(key.public_key().jwk()), jose::Half::kPublic).value();
    Bio bio(BIO_new(BIO_s_mem()));
    PEM_write_bio_PUBKEY(bio.get(), pkey.get());
    char* text = nullptr;
    long size = BIO_get_mem_data(bio.get(), &text);
    return {text, static_cast<std::size_t>(size)};
}

std::string with_member(const json& object, const std::string& member) {
    return object.dump().insert(1, member + ",");
}

// ES256: a signature whose r begins with a zero byte, without that byte, as an encoder of bare integers would
// write it. EdDSA: without its first byte.
void shorten(Draft& d) {
    std::string raw;
    do {
        d.claims["jti"] = random_id(kSources.random).value();
        d.sign_evidence();
        raw = open(d.evidence_token).signature;
    } while (d.key.algorithm() == jose::Algorithm::kEs256 && raw[0] != 0);
    d.evidence_token = signed_part(d.evidence_token) + "." + jose::base64url(raw.substr(1));
}

struct Forgery {
    const char* name;
    const char* reason;  // ours
    std::function<void(Draft&)>
        make;  // sets the evidence; the proof too, or leaves it empty to be made for it
};

void none(Draft& d, const char* alg, bool keep_signature) {
    d.header["alg"] = alg;
    d.sign_evidence();
    if (!keep_signature) d.evidence_token = signed_part(d.evidence_token) + ".";
}

void hmac(Draft& d, const std::string& secret) {
    d.header["alg"] = "HS256";
    d.evidence_token = hmac_signed(d.header, d.claims, secret);
}

const std::vector<Forgery> kForgeries = {
    {"alg_none", "algorithm_refused", [](Draft& d) { none(d, "none", false); }},
    {"alg_none_with_signature", "algorithm_refused", [](Draft& d) { none(d, "none", true); }},
    {"alg_none_in_capitals", "algorithm_refused", [](Draft& d) { none(d, "NONE", false); }},
    {"proof_alg_none", "algorithm_refused",
     [](Draft& d) {
         d.sign_evidence();
         d.proof_header["alg"] = "none";
         d.sign_proof();
         d.proof_token = signed_part(d.proof_token) + ".";
     }},
    {"hs256_with_public_jwk", "algorithm_refused", [](Draft& d) { hmac(d, d.key.public_key().jwk()); }},
    {"hs256_with_public_pem", "algorithm_refused", [](Draft& d) { hmac(d, pem_of(d.key)); }},
    {"proof_hs256_with_public_jwk", "algorithm_refused",
     [](Draft& d) {
         d.sign_evidence();
         d.proof_header["alg"] = "HS256";
         d.proof["evh"] = jose::sha256_base64url(d.evidence_token);
         d.proof_token = hmac_signed(d.proof_header, d.proof, d.key.public_key().jwk());
     }},
    {"short_r", "signature_bad", shorten},
    {"signed_by_another", "signature_bad",
     [](Draft& d) { d.evidence_token = craft(d.header.dump(), d.claims.dump(), d.other); }},
    {"proof_by_another", "signature_bad",
     [](Draft& d) {
         d.sign_evidence();
         d.proof["evh"] = jose::sha256_base64url(d.evidence_token);
         d.proof_token = craft(d.proof_header.dump(), d.proof.dump(), d.other);
     }},
    {"wrong_type", "type_wrong",
     [](Draft& d) {
         d.header["typ"] = "JWT";
         d.sign_evidence();
     }},
    {"wrong_audience", "audience_wrong",
     [](Draft& d) {
         d.claims["aud"] = "https://another.example";
         d.sign_evidence();
     }},
    {"proof_wrong_audience", "audience_wrong",
     [](Draft& d) {
         d.sign_evidence();
         d.proof["aud"] = "https://another.example";
         d.sign_proof();
     }},
    {"expired", "expired",
     [](Draft& d) {
         d.claims["iat"] = d.claims["iat"].get<std::int64_t>() - 600;
         d.claims["exp"] = d.claims["iat"].get<std::int64_t>() + 120;
         d.sign_evidence();
     }},
    {"lives_for_a_day", "lifetime_wrong",
     [](Draft& d) {
         d.claims["exp"] = d.claims["iat"].get<std::int64_t>() + 86400;
         d.sign_evidence();
     }},
    {"old_nonce", "challenge_unknown",
     [](Draft& d) {
         d.sign_evidence();
         d.sign_proof();
         d.challenge = fresh_challenge();  // what the broker asks for by now
     }},
    {"proof_for_old_nonce", "challenge_mismatch",
     [](Draft& d) {
         d.sign_evidence();
         d.proof["challenge"] = fresh_challenge();
         d.sign_proof();
     }},
    {"swapped_evidence", "proof_binding_wrong",
     [](Draft& d) {
         d.sign_evidence();
         d.sign_proof();
         d.claims["jti"] = random_id(kSources.random).value();
         d.claims["measres"][0][1][1][1] = "success";  // a better posture, for the same challenge
         d.sign_evidence();
     }},
    {"proof_without_evh", "proof_binding_wrong",
     [](Draft& d) {
         d.sign_evidence();
         d.proof.erase("evh");
         d.proof_token = craft(d.proof_header.dump(), d.proof.dump(), d.key);
     }},
    {"duplicate_in_header", "header_malformed",
     [](Draft& d) {
         d.evidence_token = craft(with_member(d.header, R"("alg":"none")"), d.claims.dump(), d.key);
     }},
    {"duplicate_in_payload", "payload_malformed",
     [](Draft& d) {
         d.evidence_token =
             craft(d.header.dump(), with_member(d.claims, R"("aud":"https://another.example")"), d.key);
     }},
    {"duplicate_inside_payload", "payload_malformed",
     [](Draft& d) {
         std::string payload = d.claims.dump();
         const std::string in = "\"posture\":{";
         payload.insert(payload.find(in) + in.size(), "\"policy\":\"none\",");
         d.evidence_token = craft(d.header.dump(), payload, d.key);
     }},
    {"duplicate_by_escape", "payload_malformed",
     [](Draft& d) {
         d.evidence_token =
             craft(d.header.dump(), with_member(d.claims, R"("\u0061ud":"https://another.example")"), d.key);
     }},
    {"duplicate_in_proof", "payload_malformed",
     [](Draft& d) {
         d.sign_evidence();
         d.proof["evh"] = jose::sha256_base64url(d.evidence_token);
         d.proof_token = craft(d.proof_header.dump(), with_member(d.proof, R"("evh":"x")"), d.key);
     }},
};

json row(const Draft& draft, const std::string& name, const char* refused) {
    json made = {{"name", name},
                 {"evidence", draft.evidence_token},
                 {"proof", draft.proof_token},
                 {"challenge", draft.challenge}};
    if (refused) made["refused"] = refused;
    return made;
}

void add_rows(const MemoryKey& key, json& rows) {
    auto other = make_key(key.algorithm());
    const std::string suffix = "." + std::string(jose::name(key.algorithm()));
    Draft good(key, *other);
    good.sign_evidence();
    good.sign_proof();
    rows.push_back(row(good, "good" + suffix, nullptr));
    rows.push_back(row(good, "replay" + suffix, "replayed"));  // the same again
    Draft same_id(key, *other);                                // for a new challenge
    same_id.claims["jti"] = good.claims["jti"];
    same_id.sign_evidence();
    same_id.sign_proof();
    rows.push_back(row(same_id, "replayed_id" + suffix, "replayed"));
    for (const Forgery& forgery : kForgeries) {
        Draft draft(key, *other);
        forgery.make(draft);
        if (draft.proof_token.empty()) draft.sign_proof();
        rows.push_back(row(draft, forgery.name + suffix, forgery.reason));
    }
}

}  // namespace

int main() {
    auto p256 = make_key(jose::Algorithm::kEs256), ed25519 = make_key(jose::Algorithm::kEdDsa);
    json rows = json::array();
    add_rows(*p256, rows);
    add_rows(*ed25519, rows);
    json keys =
        json::array({json::parse(p256->public_key().jwk()), json::parse(ed25519->public_key().jwk())});
    json all = {{"audience", kAudience}, {"keys", {{"keys", keys}}}, {"rows", rows}};
    std::puts(all.dump().c_str());
}
