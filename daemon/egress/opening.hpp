// What a connection says first, held against what policy asks of it (policy::Verify):
//   name     TLS whose server name is the host, and no encrypted hello; or HTTP/1.1, each request to that host.
//   tls      TLS, whatever the server name, encrypted or not.
//   address  anything; then nothing is looked at.
// An address literal has no name, and RFC 6066 forbids literals as server names: `name` asks for TLS without a server
// name (or with the literal, which some clients send), since any other name would reach a stranger on a shared address;
// or for HTTP whose Host is the literal.
//
// It does not cover what is said inside TLS (the :authority of HTTP/2, a later Host), nor a second ClientHello after a
// HelloRetryRequest, which RFC 8446 (4.1.2) makes the server hold to the first.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "daemon/egress/first_bytes.hpp"
#include "platform/result.hpp"
#include "policy/document.hpp"

namespace reeve::egress {

class Opening {
  public:
    Opening(policy::Verify verify, std::string host, std::uint16_t port);

    // Whether nothing (more) needs to be said before bytes may go out.
    bool passed() const { return passed_; }
    // The bytes that follow. An Error: `why` says in words what does not match.
    platform::Status feed(std::string_view more);
    // Asks for no less than `verify`, also of what was said already.
    platform::Status raise(policy::Verify verify);

    std::string_view protocol() const;  // "tls", "http", "other"; empty: not seen
    const Hello& hello() const { return hello_; }
    // HTTP, each request of which has to be looked at; null else.
    std::unique_ptr<Requests> take_requests() { return std::move(requests_); }
    // Of the bytes that were fed, how many may go out.
    std::uint64_t released() const { return released_; }

  private:
    platform::Status begin();
    platform::Status feed_known(std::string_view more);
    platform::Status feed_hello(std::string_view more);
    platform::Status feed_requests(std::string_view more);
    platform::Status judge_hello() const;
    platform::Status judge_other() const;

    policy::Verify verify_;
    const std::string host_;
    const std::uint16_t port_;
    bool passed_ = false;
    std::string start_;  // until the protocol is known
    std::optional<Protocol> protocol_;
    std::uint64_t fed_ = 0, released_ = 0;
    std::unique_ptr<HelloReader> reader_;
    std::unique_ptr<Requests> requests_;
    Hello hello_;
};

}  // namespace reeve::egress
