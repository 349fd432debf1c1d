#include "daemon/session/hash.hpp"

#include <openssl/evp.h>
#include <unistd.h>

#include <array>
#include <memory>

namespace reeve::session {
namespace {

std::string finish(EVP_MD_CTX* context) {
    std::array<unsigned char, EVP_MAX_MD_SIZE> digest{};
    unsigned size = 0;
    EVP_DigestFinal_ex(context, digest.data(), &size);
    std::string hex;
    for (unsigned i = 0; i < size; ++i) {
        hex += "0123456789abcdef"[digest[i] >> 4];
        hex += "0123456789abcdef"[digest[i] & 15];
    }
    return hex;
}

}  // namespace

platform::Result<std::string> file_hash(const platform::Fd& file, Hash hash) {
    const std::unique_ptr<EVP_MD_CTX, decltype(&EVP_MD_CTX_free)> context(EVP_MD_CTX_new(), &EVP_MD_CTX_free);
    const EVP_MD* kind = hash == Hash::kSha256 ? EVP_sha256() : EVP_md5();
    if (!context || EVP_DigestInit_ex(context.get(), kind, nullptr) != 1)
        return platform::error("hash", "", "OpenSSL does not offer the hash function");
    std::vector<char> block(256 * 1024);
    for (off_t at = 0;;) {
        const ssize_t got = ::pread(file.get(), block.data(), block.size(), at);
        if (got < 0 && errno == EINTR) continue;
        if (got < 0) return platform::os_error("hash", "");
        if (got == 0) break;
        EVP_DigestUpdate(context.get(), block.data(), static_cast<std::size_t>(got));
        at += got;
    }
    return finish(context.get());
}

platform::Result<std::string> text_hash(std::string_view bytes) {
    const std::unique_ptr<EVP_MD_CTX, decltype(&EVP_MD_CTX_free)> context(EVP_MD_CTX_new(), &EVP_MD_CTX_free);
    if (!context || EVP_DigestInit_ex(context.get(), EVP_sha256(), nullptr) != 1 ||
        EVP_DigestUpdate(context.get(), bytes.data(), bytes.size()) != 1)
        return platform::error("hash", "", "OpenSSL does not offer SHA-256");
    return finish(context.get());
}

}  // namespace reeve::session
