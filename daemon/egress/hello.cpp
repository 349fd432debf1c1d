#include <openssl/err.h>
#include <openssl/ssl.h>

#include "daemon/egress/first_bytes.hpp"

namespace reeve::egress {
namespace {

constexpr std::size_t kMostHello = std::size_t{64} << 10;
constexpr unsigned kServerName = 0, kAlpn = 16;  // RFC 6066, RFC 7301
// Clients that have no key of the server send it too, filled at random (GREASE), so that nobody can tell the two
// apart: neither can this. A client that sends one has to be let through by a rule that does not verify the name.
constexpr unsigned kEncryptedHello = 0xfe0d;  // draft-ietf-tls-esni

// A list in TLS's presentation: what is read is cut from the front.
class Bytes {
  public:
    Bytes(const unsigned char* data, std::size_t size) : rest_(reinterpret_cast<const char*>(data), size) {}
    explicit Bytes(std::string_view rest) : rest_(rest) {}
    bool empty() const { return rest_.empty(); }
    // A number of that many bytes, and then as many bytes as it says; nothing: there are fewer.
    std::optional<std::string_view> sized(std::size_t width) {
        std::size_t size = 0;
        if (rest_.size() < width) return std::nullopt;
        for (std::size_t i = 0; i < width; ++i) size = size << 8 | static_cast<unsigned char>(rest_[i]);
        rest_.remove_prefix(width);
        if (rest_.size() < size) return std::nullopt;
        const auto taken = rest_.substr(0, size);
        rest_.remove_prefix(size);
        return taken;
    }
    std::optional<unsigned char> byte() {
        if (rest_.empty()) return std::nullopt;
        const auto first = static_cast<unsigned char>(rest_.front());
        rest_.remove_prefix(1);
        return first;
    }

  private:
    std::string_view rest_;
};

std::optional<Bytes> extension(SSL* ssl, unsigned type) {
    const unsigned char* data = nullptr;
    std::size_t size = 0;
    if (::SSL_client_hello_get0_ext(ssl, type, &data, &size) != 1) return std::nullopt;
    return Bytes(data, size);
}

// RFC 6066 section 3. A second name, or one of another type, would let two readers take different ones.
std::optional<std::string> one_server_name(Bytes from) {
    const auto list = from.sized(2);
    if (!list || !from.empty()) return std::nullopt;
    Bytes entries(*list);
    const auto type = entries.byte();
    const auto name = entries.sized(2);
    if (type != 0 || !name || name->empty() || !entries.empty()) return std::nullopt;
    if (name->find('\0') != std::string_view::npos) return std::nullopt;
    return std::string(*name);
}

std::optional<std::string> protocols_in(Bytes from) {
    const auto list = from.sized(2);
    if (!list || !from.empty()) return std::nullopt;
    std::string all;
    for (Bytes entries(*list); !entries.empty();) {
        const auto name = entries.sized(1);
        if (!name || name->empty()) return std::nullopt;
        all.append(all.empty() ? "" : ",").append(*name);
    }
    return all;
}

struct Seen {
    bool whole = false;
    std::string wrong;
    Hello hello;
};

void read_hello(SSL* ssl, Seen& seen) {
    seen.whole = true;
    seen.hello.encrypted = extension(ssl, kEncryptedHello).has_value();
    if (const auto found = extension(ssl, kServerName)) {
        const auto name = one_server_name(*found);
        if (!name) seen.wrong = "its server name is not exactly one host name";
        seen.hello.sni = name.value_or("");
    }
    if (const auto found = extension(ssl, kAlpn)) {
        const auto names = protocols_in(*found);
        if (!names) seen.wrong = "its list of application protocols is malformed";
        seen.hello.alpn = names.value_or("");
    }
}

// What was there to learn is learned when the whole ClientHello is there, before anything of it is negotiated; the
// handshake ends here.
int on_hello(SSL* ssl, int* alert, void*) {
    read_hello(ssl, *static_cast<Seen*>(SSL_get_app_data(ssl)));
    *alert = SSL_AD_USER_CANCELLED;
    return SSL_CLIENT_HELLO_ERROR;
}

int take_any(SSL*, unsigned, unsigned, const unsigned char*, std::size_t, X509*, std::size_t, int*, void*) {
    return 1;
}

using Context = std::unique_ptr<SSL_CTX, decltype(&::SSL_CTX_free)>;

Context new_context() {
    Context made(::SSL_CTX_new(::TLS_server_method()), &::SSL_CTX_free);
    if (!made) return made;
    ::SSL_CTX_set_client_hello_cb(made.get(), on_hello, nullptr);
    // OpenSSL 3.0 shows no extension to the callback that nobody has said to know.
    const int known = ::SSL_CTX_add_custom_ext(made.get(), kEncryptedHello, SSL_EXT_CLIENT_HELLO, nullptr,
                                               nullptr, nullptr, take_any, nullptr);
    // Without it every name would be taken for the real one; an OpenSSL that knows it by itself refuses, and shows it.
    if (known != 1 && ::SSL_extension_supported(kEncryptedHello) != 1) made.reset();
    return made;
}

SSL_CTX* context() {
    static const Context kContext = new_context();
    return kContext.get();
}

std::unexpected<platform::Error> wrong(std::string why) {
    return platform::error("read a TLS ClientHello", "", std::move(why));
}

}  // namespace

struct HelloReader::State {
    std::unique_ptr<SSL, decltype(&::SSL_free)> ssl{nullptr, &::SSL_free};
    BIO* in = nullptr;  // the SSL's
    std::size_t fed = 0;
    Seen seen;
    bool over = false;
};

HelloReader::HelloReader() : state_(std::make_unique<State>()) {
    if (context() == nullptr) return;
    state_->ssl.reset(::SSL_new(context()));
    BIO* in = ::BIO_new(::BIO_s_mem());
    BIO* out = ::BIO_new(::BIO_s_mem());  // for the alert, which nobody reads
    if (!state_->ssl || in == nullptr || out == nullptr) {
        ::BIO_free(in);
        ::BIO_free(out);
        state_->ssl.reset();
        return;
    }
    BIO_set_mem_eof_return(in, -1);  // empty is "not yet", not "the end"
    ::SSL_set_bio(state_->ssl.get(), in, out);
    SSL_set_app_data(state_->ssl.get(), &state_->seen);
    ::SSL_set_accept_state(state_->ssl.get());
    state_->in = in;
}

HelloReader::~HelloReader() = default;

platform::Result<std::optional<Hello>> HelloReader::feed(std::string_view more) {
    State& state = *state_;
    if (!state.ssl) return wrong("OpenSSL has no memory or no working library");
    if (state.over) return wrong("there is none, or it was read already");
    state.fed += more.size();
    if (state.fed > kMostHello) {
        state.over = true;
        return wrong("it is longer than 64 KiB");
    }
    ::ERR_clear_error();
    ::BIO_write(state.in, more.data(), static_cast<int>(more.size()));
    const int code = ::SSL_do_handshake(state.ssl.get());
    const bool waits = ::SSL_get_error(state.ssl.get(), code) == SSL_ERROR_WANT_READ;
    ::ERR_clear_error();
    if (!state.seen.whole && waits) return std::nullopt;
    state.over = true;
    if (!state.seen.whole) return wrong("these bytes are none");
    if (!state.seen.wrong.empty()) return wrong(state.seen.wrong);
    return state.seen.hello;
}

}  // namespace reeve::egress
