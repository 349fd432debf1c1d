// What reeve-egress tells reeved: one report a connection, when it is over, and one for each lookup of a name or several
// equal ones. Several reports a packet of the control socket.
//
// The sender is trusted no further than this: reeved checks every length, and takes from a report nothing but what a
// record says.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "platform/result.hpp"
#include "policy/document.hpp"

namespace reeve::egress {

enum class Outcome : std::uint8_t {
    allowed,  // bytes were let through
    denied,   // by policy, or because what was said did not match what was asked for
    failed,   // allowed, but the name has no address, nobody answered, ...
};

// Texts are ASCII or arbitrary bytes that records escape; empty: not known.
struct Report {
    bool lookup = false;  // a name was asked for; else a connection
    Outcome outcome = Outcome::denied;
    policy::Verdict verdict = policy::Verdict::deny;  // what policy says of host and port, or of the name
    bool by_rule = false;
    std::string rule, reason;  // reason: why it was denied or failed, in words for a person
    std::string host;          // as asked for: a name in lower case, or an address literal
    std::uint16_t port = 0;    // connection
    std::string type;          // lookup: "A", "AAAA", "HTTPS", ...
    std::string
        address;  // connection: that was dialled; lookup: the answer, or "NXDOMAIN", "NODATA", "REFUSED"
    std::string protocol, sni, alpn;  // "tls", "http", "other"; what the first bytes said
    pid_t pid = 0;                    // in the host's pid namespace; 0: not known
    std::uint64_t start_ns = 0;       // of that process, since boot
    std::string exe;
    std::uint64_t count = 1;  // of equal lookups
    std::uint64_t bytes_up = 0, bytes_down = 0;
    std::uint64_t monotonic_ns = 0;  // CLOCK_MONOTONIC, of its beginning
    std::uint64_t duration_ns = 0;
    std::string
        ended;  // connection that was allowed: "closed", "reset", "timeout", "budget", "session end", "mismatch", ...
};

// The last packet of one that has told all. A socket that ends without it lost what had not been sent.
inline constexpr std::string_view kNoMore = "no more";

// Longest text; encode() cuts longer ones.
inline constexpr std::size_t kMostText = 4096;

// One report as it travels; several stand behind one another in a packet of at most platform::kMaxPacket bytes.
std::string encode(const Report& report);
// Bytes of its texts.
std::size_t text_size(const Report& report);
// Those of one packet. An Error for anything that encode() does not make, kNoMore included.
platform::Result<std::vector<Report>> parse_reports(std::string_view packet);

}  // namespace reeve::egress
