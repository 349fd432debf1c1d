// Both ends of TLS over a socket that is there already.
#pragma once

#include <openssl/ssl.h>

#include <memory>
#include <string>

#include "platform/fd.hpp"

namespace reeve::test {

class TlsPeer {
  public:
    // With a certificate of its own making.
    static TlsPeer server(platform::Fd socket);
    // Trusts everybody. An empty name sends none. `piecewise`: what is sent until the handshake is done goes byte by byte.
    static TlsPeer client(platform::Fd socket, const std::string& server_name, bool piecewise = false);

    bool handshake();
    bool send(const std::string& bytes);
    std::string receive(std::size_t most);
    void close() { socket_.reset(); }
    int fd() const { return socket_.get(); }

  private:
    TlsPeer(platform::Fd socket, SSL_CTX* context);
    bool flush();
    bool fill();

    platform::Fd socket_;
    std::unique_ptr<SSL, decltype(&SSL_free)> ssl_;
    bool piecewise_ = false;
};

}  // namespace reeve::test
