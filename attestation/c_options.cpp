#include "attestation/c_options.hpp"

#include <algorithm>
#include <array>
#include <nlohmann/json.hpp>
#include <stdexcept>

#include "attestation/jose/json.hpp"

namespace reeve::attestation {

namespace {

using nlohmann::json;

constexpr std::size_t kMaxOptions = 2 << 20;  // bytes: a JWK Set has at most half of it
constexpr std::int64_t kMaxEntries = 100'000'000;

// Thrown by the readers of single options, with what is expected; read_c_options() adds the name.
struct Expected : std::runtime_error {
    using std::runtime_error::runtime_error;
};

std::string text(const json& value) {
    if (!value.is_string() || value.get_ref<const std::string&>().empty()) throw Expected("a string");
    return value.get<std::string>();
}

std::vector<std::string> texts(const json& value) {
    if (!value.is_array()) throw Expected("a list of strings");
    std::vector<std::string> list;
    for (const json& one : value) list.push_back(text(one));
    return list;
}

std::int64_t number(const json& value, std::int64_t least, std::int64_t most) {
    if (value.is_number_unsigned() && value.get<std::uint64_t>() <= static_cast<std::uint64_t>(most) &&
        value.get<std::int64_t>() >= least)
        return value.get<std::int64_t>();
    throw Expected("a whole number from " + std::to_string(least) + " to " + std::to_string(most));
}

ProofRule proof_rule(const json& value) {
    if (value == "required") return ProofRule::kRequired;
    if (value == "optional") return ProofRule::kOptional;
    throw Expected("\"required\" or \"optional\"");
}

std::vector<jose::Algorithm> algorithms(const json& value) {
    std::vector<jose::Algorithm> list;
    for (const std::string& word : texts(value)) {
        if (word == name(jose::Algorithm::kEs256))
            list.push_back(jose::Algorithm::kEs256);
        else if (word == name(jose::Algorithm::kEdDsa))
            list.push_back(jose::Algorithm::kEdDsa);
        else
            throw Expected(R"(a list of "ES256" and "EdDSA")");
    }
    if (list.empty()) throw Expected(R"(a list of "ES256" and "EdDSA")");
    return list;
}

// "area.check"
bool is_check(const std::string& word) {
    std::size_t dot = word.find('.');
    return dot != 0 && dot != word.npos && dot + 1 != word.size() && std::ranges::all_of(word, [](char c) {
               return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '.';
           });
}

std::vector<std::string> checks(const json& value) {
    auto list = texts(value);
    for (const std::string& word : list)
        if (!is_check(word)) throw Expected(R"(a list of checks such as "disk.encrypted")");
    return list;
}

std::vector<jose::PublicKey> keys(const json& value) {
    auto list = value.is_object()
                    ? jose::parse_jwks(value.dump())
                    : Result<std::vector<jose::PublicKey>>(fail(Fault::kMalformed, "no object"));
    if (!list) throw Expected("a JWK Set or JWK of public keys: " + list.error().text());
    if (list->empty()) throw Expected("a JWK Set or JWK with a P-256 or Ed25519 key in it");
    return *std::move(list);
}

struct Option {
    std::string_view name;
    void (*read)(const json& value, COptions& options);
};

constexpr std::array<Option, 11> kOptions{{
    {"audience", [](const json& v, COptions& o) { o.verifier.audience = text(v); }},
    {"proof_audience", [](const json& v, COptions& o) { o.verifier.proof_audience = text(v); }},
    {"proof", [](const json& v, COptions& o) { o.verifier.proof = proof_rule(v); }},
    {"keys", [](const json& v, COptions& o) { o.keys = keys(v); }},
    {"algorithms", [](const json& v, COptions& o) { o.verifier.algorithms = algorithms(v); }},
    {"require", [](const json& v, COptions& o) { o.verifier.require = checks(v); }},
    {"max_age", [](const json& v,
                   COptions& o) { o.verifier.max_age = std::chrono::seconds(number(v, 0, 366 * 86'400)); }},
    {"skew", [](const json& v,
                COptions& o) { o.verifier.skew = std::chrono::seconds(number(v, 0, kMaxSkew.count())); }},
    {"replay_capacity",
     [](const json& v, COptions& o) {
         o.replay_capacity = static_cast<std::size_t>(number(v, 1, kMaxEntries));
     }},
    {"challenge_capacity",
     [](const json& v, COptions& o) {
         o.challenge_capacity = static_cast<std::size_t>(number(v, 1, kMaxEntries));
     }},
    {"challenge_lifetime",
     [](const json& v, COptions& o) { o.challenge_lifetime = std::chrono::seconds(number(v, 1, 3600)); }},
}};

}  // namespace

Result<COptions> read_c_options(std::string_view text) {
    auto members = jose::parse_object(text, kMaxOptions);
    if (!members) return fail(Fault::kMalformed, "the options are " + members.error().detail);
    COptions options;
    for (const auto& [member, value] : members->items()) {
        const auto* option = std::ranges::find(kOptions, member, &Option::name);
        if (option == kOptions.end())
            return fail(Fault::kArgument, "no option is called \"" + member.substr(0, 64) + "\"");
        try {
            option->read(value, options);
        } catch (const Expected& expected) {
            return fail(Fault::kArgument, "option \"" + member + "\" is not " + expected.what());
        }
    }
    if (options.verifier.audience.empty())
        return fail(Fault::kArgument, "option \"audience\" is missing: evidence is always for somebody");
    return options;
}

}  // namespace reeve::attestation
