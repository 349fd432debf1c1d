#include "attestation/sources.hpp"

#include <openssl/rand.h>

#include <array>

#include "attestation/jose/base64url.hpp"

namespace reeve::attestation {

Sources system_sources() {
    return {
        [] { return std::chrono::floor<Time::duration>(std::chrono::system_clock::now()); },
        [](std::span<std::byte> out) -> Status {
            auto* bytes = reinterpret_cast<unsigned char*>(out.data());
            if (RAND_bytes(bytes, static_cast<int>(out.size())) != 1)
                return fail(Fault::kRandom, "OpenSSL gave no random bytes");
            return {};
        },
    };
}

Result<std::string> random_id(const Random& random) {
    std::array<std::byte, 16> bytes{};
    if (auto filled = random(bytes); !filled) return std::unexpected(filled.error());
    return jose::base64url({reinterpret_cast<const char*>(bytes.data()), bytes.size()});
}

}  // namespace reeve::attestation
