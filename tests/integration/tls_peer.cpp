#include "tests/integration/tls_peer.hpp"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <openssl/evp.h>
#include <openssl/x509.h>

#include "tests/unit/daemon/egress/network.hpp"

namespace reeve::test {
namespace {

SSL_CTX* server_context() {
    SSL_CTX* context = SSL_CTX_new(TLS_server_method());
    EVP_PKEY* key = EVP_EC_gen("P-256");
    X509* certificate = X509_new();
    ASN1_INTEGER_set(X509_get_serialNumber(certificate), 1);
    X509_gmtime_adj(X509_getm_notBefore(certificate), -3600);
    X509_gmtime_adj(X509_getm_notAfter(certificate), 3600);
    X509_set_pubkey(certificate, key);
    X509_sign(certificate, key, EVP_sha256());
    SSL_CTX_use_certificate(context, certificate);
    SSL_CTX_use_PrivateKey(context, key);
    X509_free(certificate);
    EVP_PKEY_free(key);
    return context;
}

}  // namespace

TlsPeer::TlsPeer(platform::Fd socket, SSL_CTX* context)
    : socket_(std::move(socket)), ssl_(SSL_new(context), &SSL_free) {
    SSL_CTX_free(context);
    SSL_set_bio(ssl_.get(), BIO_new(BIO_s_mem()), BIO_new(BIO_s_mem()));
    BIO_set_mem_eof_return(SSL_get_rbio(ssl_.get()), -1);
}

TlsPeer TlsPeer::server(platform::Fd socket) {
    TlsPeer peer(std::move(socket), server_context());
    SSL_set_accept_state(peer.ssl_.get());
    return peer;
}

TlsPeer TlsPeer::client(platform::Fd socket, const std::string& server_name, bool piecewise) {
    TlsPeer peer(std::move(socket), SSL_CTX_new(TLS_client_method()));
    SSL_set_connect_state(peer.ssl_.get());
    if (!server_name.empty()) SSL_set_tlsext_host_name(peer.ssl_.get(), server_name.c_str());
    peer.piecewise_ = piecewise;
    const int yes = 1;
    ::setsockopt(peer.fd(), IPPROTO_TCP, TCP_NODELAY, &yes, sizeof yes);
    return peer;
}

bool TlsPeer::flush() {
    char* bytes = nullptr;
    BIO* out = SSL_get_wbio(ssl_.get());
    const auto size = static_cast<std::size_t>(BIO_get_mem_data(out, &bytes));
    const std::string all(bytes, size);
    (void)BIO_reset(out);
    const std::size_t step = piecewise_ ? 1 : std::max<std::size_t>(all.size(), 1);
    for (std::size_t at = 0; at < all.size(); at += step)
        if (!send_all(fd(), std::string_view(all).substr(at, step))) return false;
    return true;
}

bool TlsPeer::fill() {
    char buffer[16384];
    const ssize_t got = ::recv(fd(), buffer, sizeof buffer, 0);
    return got > 0 && BIO_write(SSL_get_rbio(ssl_.get()), buffer, static_cast<int>(got)) == got;
}

bool TlsPeer::handshake() {
    while (true) {
        const int done = SSL_do_handshake(ssl_.get());
        if (!flush()) return false;
        if (done == 1) return true;
        if (SSL_get_error(ssl_.get(), done) != SSL_ERROR_WANT_READ || !fill()) return false;
    }
}

bool TlsPeer::send(const std::string& bytes) {
    return SSL_write(ssl_.get(), bytes.data(), static_cast<int>(bytes.size())) > 0 && flush();
}

std::string TlsPeer::receive(std::size_t most) {
    std::string bytes(most, '\0');
    while (true) {
        const int got = SSL_read(ssl_.get(), bytes.data(), static_cast<int>(most));
        if (got > 0) {
            bytes.resize(static_cast<std::size_t>(got));
            return bytes;
        }
        if (SSL_get_error(ssl_.get(), got) != SSL_ERROR_WANT_READ || !fill()) return {};
    }
}

}  // namespace reeve::test
