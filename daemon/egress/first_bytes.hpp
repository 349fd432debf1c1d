// What a connection says of itself in its first bytes: is it TLS, and for which name; is it HTTP/1.1, and to which Host.
// Bytes in, words out: nothing here reads or sends. What is fed is the agent's, and hostile.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "platform/result.hpp"

namespace reeve::egress {

enum class Protocol : std::uint8_t { tls, http, other };

// By as few bytes as can tell; nothing: more are needed.
std::optional<Protocol> protocol_of(std::string_view first);

struct Hello {
    std::string sni;         // as sent; empty: none
    std::string alpn;        // "h2,http/1.1"
    bool encrypted = false;  // it has an encrypted_client_hello (ECH): the name is only the outer one
};
// A ClientHello over any number of TLS records and segments, read by OpenSSL. At most 64 KiB.
class HelloReader {
  public:
    HelloReader();
    ~HelloReader();
    // The bytes that follow those that were fed before. Nothing: more are needed. An Error: this is none.
    platform::Result<std::optional<Hello>> feed(std::string_view more);

  private:
    struct State;
    std::unique_ptr<State> state_;
};

// The client's side of an HTTP/1.1 connection: each request of it must be for one host and port.
class Requests {
  public:
    Requests(std::string host, std::uint16_t port);
    ~Requests();
    // The bytes that follow. Gives how many of all bytes fed so far may be sent on by now, counted from the first byte of
    // the connection: a head is held back until it is whole and was found right. An Error says in words what is not: a
    // Host or absolute form that is not the host (and port), two Hosts or none, a head of more than 64 KiB, a request that is
    // not HTTP/1.0 or 1.1, CONNECT, an Upgrade, a body whose length is said twice or otherwise than by the two standard ways.
    platform::Result<std::uint64_t> feed(std::string_view more);

  private:
    struct State;
    std::unique_ptr<State> state_;
};

}  // namespace reeve::egress
