#include "attestation/jose/jws.hpp"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "attestation/jose/base64url.hpp"
#include "attestation/jose/json.hpp"
#include "attestation/key.hpp"

namespace reeve::attestation::jose {

using nlohmann::json;

Result<std::string> sign_compact(const Header& header, std::string_view payload, const Signer& signer) {
    json members = {{"alg", name(signer.algorithm())}};
    if (!header.type.empty()) members["typ"] = header.type;
    if (!header.key_id.empty()) members["kid"] = header.key_id;
    std::string token =
        base64url(members.dump(-1, ' ', false, json::error_handler_t::replace)) + "." + base64url(payload);
    auto signature = signer.sign(token);
    if (!signature) return std::unexpected(signature.error());
    token += "." + base64url(*signature);
    if (token.size() > kMaxToken)
        return fail(Fault::kTooLarge, "a token of " + std::to_string(token.size()) + " characters");
    return token;
}

Result<UntrustedHeader> read_header(std::string_view token) {
    std::size_t end = token.substr(0, kMaxHeader + 1).find('.');
    if (end == token.npos) return fail(Fault::kMalformed, "no JOSE header of at most 1024 characters");
    auto text = from_base64url(token.substr(0, end));
    if (!text) return std::unexpected(text.error());
    auto members = parse_object(*text, kMaxHeader);
    if (!members) return std::unexpected(members.error());
    if (members->contains("crit")) return fail(Fault::kCritical, "the JOSE header has \"crit\"");
    UntrustedHeader header;
    for (auto [member, value] : {std::pair("alg", &header.algorithm), std::pair("typ", &header.type),
                                 std::pair("kid", &header.key_id)}) {
        auto it = members->find(member);
        if (it == members->end()) continue;
        if (!it->is_string())
            return fail(Fault::kMalformed,
                        std::string("\"") + member + "\" of the JOSE header is not a string");
        *value = it->get<std::string>();
    }
    return header;
}

Result<std::string> verify_compact(std::string_view token, std::span<const Algorithm> allowed,
                                   const PublicKey& key) {
    auto header = read_header(token);
    if (!header) return std::unexpected(header.error());
    bool listed = std::ranges::any_of(allowed, [&](Algorithm a) { return name(a) == header->algorithm; });
    if (!listed) return fail(Fault::kAlgorithm, "\"alg\" is not one that is accepted");
    if (header->algorithm != name(key.algorithm()))
        return fail(Fault::kAlgorithm, "\"alg\" does not fit the key");
    if (token.size() > kMaxToken)
        return fail(Fault::kTooLarge, "a token of " + std::to_string(token.size()) + " characters");
    std::size_t first = token.find('.'), second = token.find('.', first + 1);
    if (second == token.npos || token.find('.', second + 1) != token.npos)
        return fail(Fault::kMalformed, "not three parts");
    auto signature = from_base64url(token.substr(second + 1));
    if (!signature) return std::unexpected(signature.error());
    if (auto good = key.verify(token.substr(0, second), *signature); !good)
        return std::unexpected(good.error());
    return from_base64url(token.substr(first + 1, second - first - 1));
}

}  // namespace reeve::attestation::jose
