// DNS messages (RFC 1035, 6891) as typed values: the questions of a session, and what the stub says to them. Pure; the
// bytes are hostile.
#pragma once

#include <cstddef>
#include <cstdint>
#include <expected>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "policy/network.hpp"

namespace reeve::egress {

enum class RecordType : std::uint16_t { a = 1, ptr = 12, aaaa = 28 };  // others are numbers only
enum class ResponseCode : std::uint8_t {
    no_error = 0,
    server_failure = 2,
    no_such_name = 3,
    refused = 5,
};

// A query of class IN with one question.
struct DnsQuestion {
    std::string name;    // in lower case, without a final dot; "" is the root
    bool plain = false;  // the name is of letters, digits, '-' and '_' alone, and so could be a host's
    RecordType type{};
    std::uint16_t id = 0;
    std::string wire_name;  // as asked, uncompressed: a reply repeats it with its upper and lower case
    bool recursion_desired = false, checking_disabled = false;
    std::optional<std::uint16_t> edns_size;  // bytes that the asker takes by UDP
    bool dnssec_ok = false;
};

// Else the bytes of the error that is due: FORMERR, NOTIMP, BADVERS. Empty: nothing is, since it is an answer itself
// (two stubs would go on for ever) or too short to have a header.
std::expected<DnsQuestion, std::string> parse_dns_query(std::string_view wire);

struct DnsAnswer {
    ResponseCode code = ResponseCode::no_error;
    std::vector<policy::Address> addresses;  // of the family that was asked for
    std::string pointer;                     // PTR: a host name
    std::uint32_t ttl = 0;                   // seconds
};

// What an asker takes by UDP, and what fits behind the length of TCP.
std::size_t udp_limit(const DnsQuestion& question);
inline constexpr std::size_t kTcpLimit = 0xFFFF;

// An answer with neither address nor pointer has an SOA, so that whoever caches it does so for a few seconds. Where it
// does not fit in `limit` bytes: without records, with TC.
std::string encode_dns_answer(const DnsQuestion& question, const DnsAnswer& answer, std::size_t limit);

// "AAAA", "HTTPS"; "TYPE65280" where it has no name.
std::string type_name(RecordType type);

// The address that "4.3.2.1.in-addr.arpa" or its like in ip6.arpa stands for.
std::optional<policy::Address> reverse_address(std::string_view name);

}  // namespace reeve::egress
