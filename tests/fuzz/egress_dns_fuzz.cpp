// DNS queries: any bytes end in a question, an error to send or silence; an answer to a question is itself never
// answered, repeats what was asked, and fits.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdlib>

#include "daemon/egress/dns_message.hpp"
#include "daemon/egress/name_text.hpp"

namespace {

using namespace reeve::egress;

void require(bool holds) {
    if (!holds) std::abort();
}

void check_reply(std::string_view query, const std::string& reply) {
    require(reply.size() >= 12 && reply.substr(0, 2) == query.substr(0, 2));
    const auto again = parse_dns_query(reply);
    require(!again && again.error().empty());
}

void check_answer(std::string_view query, const DnsQuestion& question, const DnsAnswer& answer) {
    const std::string reply = encode_dns_answer(question, answer, udp_limit(question));
    check_reply(query, reply);
    require(reply.size() <= udp_limit(question));
    require(reply.compare(12, question.wire_name.size(), question.wire_name) == 0);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const std::string_view bytes(reinterpret_cast<const char*>(data), std::min(size, kTcpLimit));
    const auto question = parse_dns_query(bytes);
    if (!question) {
        if (!question.error().empty()) check_reply(bytes, question.error());
        return 0;
    }
    require(question->plain == (is_host_text(question->name) && question->plain));
    const auto four = reeve::policy::parse_address("198.18.0.2").value();
    check_answer(bytes, *question, {ResponseCode::no_error, {four}, "", 60});
    check_answer(bytes, *question, {ResponseCode::no_error, std::vector(60, four), "", 60});
    check_answer(bytes, *question, {ResponseCode::no_error, {}, "a.example", 60});
    check_answer(bytes, *question, {ResponseCode::no_such_name, {}, "", 0});
    check_answer(bytes, *question, {ResponseCode::refused, {}, "", 0});
    (void)reverse_address(question->name);
    (void)type_name(question->type);
    return 0;
}
