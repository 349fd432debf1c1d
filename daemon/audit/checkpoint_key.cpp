#include "daemon/audit/checkpoint_key.hpp"

#include "attestation/jose/jws.hpp"

namespace reeve::audit {

namespace jose = attestation::jose;

Sign sign_with(std::shared_ptr<const attestation::Signer> key) {
    return [key = std::move(key)](const std::string& payload) -> platform::Result<std::string> {
        auto compact =
            jose::sign_compact({.type = kCheckpointType, .key_id = key->thumbprint()}, payload, *key);
        if (compact) return std::move(*compact);
        return platform::error("sign the audit checkpoint", "", compact.error().text());
    };
}

CheckSignature check_with(jose::PublicKey key) {
    return [key = std::move(key)](std::string_view compact) -> platform::Result<std::string> {
        constexpr const char* kTried = "verify the audit checkpoint";
        const auto header = jose::read_header(compact);
        if (!header) return platform::error(kTried, "", header.error().text());
        if (header->type != kCheckpointType) {
            return platform::error(kTried, "", "it is another kind of token, \"" + header->type + "\"");
        }
        const jose::Algorithm allowed[] = {key.algorithm()};
        auto payload = jose::verify_compact(compact, allowed, key);
        if (payload) return std::move(*payload);
        return platform::error(kTried, "", payload.error().text());
    };
}

}  // namespace reeve::audit
