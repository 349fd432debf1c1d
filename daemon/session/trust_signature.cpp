#include <fcntl.h>
#include <openssl/bio.h>
#include <openssl/cms.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509.h>
#include <sys/stat.h>
#include <unistd.h>

#include <memory>

#include "daemon/session/hash.hpp"

namespace reeve::session {
namespace {

using platform::error;
using platform::Fd;
using platform::os_error;

template <auto Free>
struct Deleter {
    template <class T>
    void operator()(T* object) const {
        Free(object);
    }
};
using Bio = std::unique_ptr<BIO, Deleter<BIO_free_all>>;
using Certificate = std::unique_ptr<X509, Deleter<X509_free>>;
using Cms = std::unique_ptr<CMS_ContentInfo, Deleter<CMS_ContentInfo_free>>;
struct FreeStack {
    void operator()(STACK_OF(X509) * stack) const { sk_X509_free(stack); }
};

constexpr off_t kMostBytes = 1 << 20;  // of a signature or a certificate

// A small file that root alone can write, in memory.
platform::Result<std::string> read_small(const std::string& path) {
    const Fd file(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK));
    struct stat status {};
    if (!file || ::fstat(file.get(), &status) != 0) return os_error("open", path);
    if (!S_ISREG(status.st_mode) || status.st_size > kMostBytes || status.st_uid != 0 ||
        (status.st_mode & 022) != 0)
        return error("use", path, "it is not a small regular file that only root can write");
    std::string bytes(static_cast<std::size_t>(status.st_size), '\0');
    if (::pread(file.get(), bytes.data(), bytes.size(), 0) != status.st_size) return os_error("read", path);
    return bytes;
}

Bio memory_of(const std::string& bytes) {
    return Bio(BIO_new_mem_buf(bytes.data(), static_cast<int>(bytes.size())));
}

// PEM_read_bio_CMS() is a macro that its header only promises.
CMS_ContentInfo* read_pem(const std::string& text) {
    unsigned char* der = nullptr;
    long size = 0;
    char* name = nullptr;
    if (PEM_bytes_read_bio(&der, &size, &name, PEM_STRING_CMS, memory_of(text).get(), nullptr, nullptr) != 1)
        return nullptr;
    const unsigned char* at = der;
    CMS_ContentInfo* cms = d2i_CMS_ContentInfo(nullptr, &at, size);
    OPENSSL_free(der);
    OPENSSL_free(name);
    return cms;
}

}  // namespace

platform::Result<std::string> check_signature(const Executable& file, const std::string& certificate) {
    const std::string signature_path = file.path + ".p7s";
    auto certificate_text = read_small(certificate);
    if (!certificate_text) return std::unexpected(certificate_text.error());
    auto signature = read_small(signature_path);
    if (!signature) return std::unexpected(signature.error());
    const Certificate pinned(
        PEM_read_bio_X509(memory_of(*certificate_text).get(), nullptr, nullptr, nullptr));
    if (!pinned) return error("read the certificate", certificate, "it is not a PEM certificate");
    const bool pem = signature->starts_with("-----BEGIN");
    const Cms cms(pem ? read_pem(*signature) : d2i_CMS_bio(memory_of(*signature).get(), nullptr));
    if (!cms) return error("read the signature", signature_path, "it is not a CMS signature (DER or PEM)");
    // By the descriptor that was checked and hashed, not by name.
    const Bio content(BIO_new_fd(file.file.get(), BIO_NOCLOSE));
    const std::unique_ptr<STACK_OF(X509), FreeStack> signers(sk_X509_new_null());
    if (!content || !signers || sk_X509_push(signers.get(), pinned.get()) == 0 ||
        ::lseek(file.file.get(), 0, SEEK_SET) != 0)
        return error("check the signature of", file.path, "OpenSSL could not begin");
    // The pinned certificate is the trust: no chain is looked at, and no certificate that the signature brings along.
    const unsigned flags = CMS_BINARY | CMS_DETACHED | CMS_NOINTERN | CMS_NO_SIGNER_CERT_VERIFY;
    const bool good = CMS_verify(cms.get(), signers.get(), nullptr, content.get(), nullptr, flags) == 1;
    ERR_clear_error();
    if (!good) return error("trust", file.path, "its signature is not by " + certificate);
    return std::string("signer");
}

}  // namespace reeve::session
