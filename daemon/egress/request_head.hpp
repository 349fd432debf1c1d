// The head of one HTTP/1.x request, held against the host and port that its connection is for. Pure.
//
// Stricter than RFC 9112 wherever two readers could differ about where a request ends or whom it is for. Boost.Beast
// 1.74 was meant to do this and cannot: it takes folded fields, lists of equal lengths, any Transfer-Encoding, chunk
// extensions and trailers, refuses every length when no limit of the body is set, and asserts when the end of a chunked
// body comes byte by byte. tests/fuzz/egress_requests holds it against this: what is passed on here has to be one request for Beast too.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "platform/result.hpp"

namespace reeve::egress {

// What follows the head.
struct Body {
    bool chunked = false;
    std::uint64_t length = 0;
};

// `head`: from the request line to the empty line, both with their CRLF.
platform::Result<Body> read_request_head(std::string_view head, std::string_view host, std::uint16_t port);

// "Why not", as an Error of reading requests for that host.
std::unexpected<platform::Error> wrong_request(std::string_view host, std::string why);

}  // namespace reeve::egress
