// Golden messages: RFC 1035 section 4, RFC 6891.
#include "daemon/egress/dns_message.hpp"

#include "tests/unit/daemon/egress/support.hpp"

namespace reeve::egress {
namespace {

const std::string kQuestion = wire_name("a.example") + two(kA) + two(1);
const std::string kOpt = std::string(1, '\0') + two(41) + two(4096) + two(0) + two(0x8000) + two(0);
const std::string kOurOpt = std::string(1, '\0') + two(41) + two(1232) + two(0) + two(0x8000) + two(0);

std::string error_of(const std::string& wire) {
    const auto query = parse_dns_query(wire);
    return query ? "a query for " + query->name : query.error();
}

TEST(DnsMessage, ReadsAQuery) {
    const auto query = parse_dns_query(dns_query("Api.EXAMPLE.com", kAaaa, 0xBEEF)).value();
    EXPECT_EQ(query.name, "api.example.com");
    EXPECT_TRUE(query.plain);
    EXPECT_EQ(query.type, RecordType::aaaa);
    EXPECT_EQ(query.id, 0xBEEF);
    EXPECT_TRUE(query.recursion_desired);
    EXPECT_FALSE(query.checking_disabled);
    EXPECT_FALSE(query.edns_size);
    EXPECT_EQ(query.wire_name, wire_name("Api.EXAMPLE.com"));
    EXPECT_EQ(udp_limit(query), 512U);
}

TEST(DnsMessage, ReadsEdns) {
    const auto query = parse_dns_query(dns_header(1, 0x0010, 1, 0, 0, 1) + kQuestion + kOpt).value();
    EXPECT_EQ(query.edns_size, 4096);
    EXPECT_TRUE(query.dnssec_ok);
    EXPECT_TRUE(query.checking_disabled);
    EXPECT_FALSE(query.recursion_desired);
    EXPECT_EQ(udp_limit(query), 1232U);
    auto small = query;
    small.edns_size = 100;
    EXPECT_EQ(udp_limit(small), 512U);
}

TEST(DnsMessage, TellsWhatCouldBeNoHost) {
    const auto plain = [](const std::string& name) {
        const auto query = parse_dns_query(dns_header(1, 0, 1) + name + two(kA) + two(1));
        EXPECT_TRUE(query);
        return query && query->plain;
    };
    EXPECT_TRUE(plain(wire_name("a_b-c.example")));
    EXPECT_TRUE(plain(wire_name(std::string(63, 'a') + ".example")));
    EXPECT_FALSE(
        plain(std::string("\x03"
                          "a.b\x07"
                          "example\0",
                          13)));
    EXPECT_FALSE(
        plain(std::string("\x02"
                          "a.\0",
                          4)));
    EXPECT_FALSE(
        plain(std::string("\x03"
                          "a\0b\x07"
                          "example\0",
                          13)));
    EXPECT_FALSE(plain(wire_name("a b.example")));
    EXPECT_FALSE(
        plain(wire_name("b\xc3\xbc"
                        "cher.example")));
    EXPECT_FALSE(plain(std::string(1, '\0')));  // the root
}

TEST(DnsMessage, SaysNothingToWhatIsNoQuery) {
    EXPECT_EQ(error_of(""), "");
    EXPECT_EQ(error_of(std::string(11, '\0')), "");
    EXPECT_EQ(error_of(dns_header(1, kAnswered, 1) + kQuestion), "");
    EXPECT_EQ(error_of(dns_header(1, 0x8000, 0)), "");
}

TEST(DnsMessage, SaysWhatIsWrongWithAQuery) {
    const std::string malformed = dns_header(7, 0x8181, 0);
    const std::string cases[] = {
        dns_header(7, kAsked, 0),
        dns_header(7, kAsked, 1),
        dns_header(7, kAsked, 2) + kQuestion + kQuestion,
        dns_header(7, kAsked, 2) + kQuestion,
        dns_header(7, kAsked, 1, 1) + kQuestion + two(0xC00C) + two(kA) + two(1) + two(0) + two(60) + two(4) +
            "abcd",
        dns_header(7, kAsked, 1) + kQuestion.substr(0, kQuestion.size() - 1),
        dns_header(7, kAsked, 1) + two(0xC00C) + two(kA) + two(1),  // a name that is itself
        dns_header(7, kAsked, 1) + '\x40' + kQuestion,
    };
    for (const auto& wire : cases) EXPECT_EQ(error_of(wire), malformed) << testing::PrintToString(wire);
    EXPECT_EQ(error_of(dns_header(7, 0x2900, 1) + kQuestion), dns_header(7, 0xA984, 0));  // UPDATE
    EXPECT_EQ(error_of(dns_header(7, kAsked, 1) + wire_name("version.bind") + two(kTxt) + two(3)),
              dns_header(7, 0x8184, 0));  // class CHAOS
    const std::string later = std::string(1, '\0') + two(41) + two(1232) + two(1) + two(0) + two(0);
    const std::string bad_version =
        std::string(1, '\0') + two(41) + two(1232) + two(0x0100) + two(0) + two(0);
    EXPECT_EQ(error_of(dns_header(7, kAsked, 1, 0, 0, 1) + kQuestion + later),
              dns_header(7, 0x8180, 1, 0, 0, 1) + kQuestion + bad_version);
}

TEST(DnsMessage, WritesAddresses) {
    DnsAnswer answer{ResponseCode::no_error, {address("198.18.0.2")}, "", 60};
    EXPECT_EQ(encode_dns_answer(question("A.Example", kA), answer, 512),
              dns_header(0x1234, kAnswered, 1, 1) + wire_name("A.Example") + two(kA) + two(1) + two(0xC00C) +
                  two(kA) + two(1) + two(0) + two(60) + two(4) + std::string("\xc6\x12\x00\x02", 4));
    answer.addresses = {address("fd72:6565:7665::c612:2")};
    EXPECT_EQ(encode_dns_answer(question("a.example", kAaaa), answer, 512),
              dns_header(0x1234, kAnswered, 1, 1) + wire_name("a.example") + two(kAaaa) + two(1) +
                  two(0xC00C) + two(kAaaa) + two(1) + two(0) + two(60) + two(16) +
                  std::string("\xfd\x72\x65\x65\x76\x65\0\0\0\0\0\0\xc6\x12\0\x02", 16));
}

TEST(DnsMessage, WritesAPointer) {
    const DnsAnswer answer{ResponseCode::no_error, {}, "a.example", 60};
    EXPECT_EQ(encode_dns_answer(question("2.0.18.198.in-addr.arpa", kPtr), answer, 512),
              dns_header(0x1234, kAnswered, 1, 1) + wire_name("2.0.18.198.in-addr.arpa") + two(kPtr) +
                  two(1) + two(0xC00C) + two(kPtr) + two(1) + two(0) + two(60) + two(11) +
                  wire_name("a.example"));
}

TEST(DnsMessage, NoIsCachedBriefly) {
    for (const auto code : {ResponseCode::no_error, ResponseCode::no_such_name}) {
        const auto wire = encode_dns_answer(question("a.example", kA), {code, {}, "", 0}, 512);
        EXPECT_EQ(wire.substr(0, 12), dns_header(0x1234, kAnswered | static_cast<unsigned>(code), 1, 0, 1));
        EXPECT_EQ(wire.substr(wire.size() - 4), two(0) + two(5));  // of the SOA: how long "no" is good for
    }
    for (const auto code : {ResponseCode::server_failure, ResponseCode::refused})
        EXPECT_EQ(encode_dns_answer(question("a.example", kA), {code, {}, "", 0}, 512),
                  dns_header(0x1234, kAnswered | static_cast<unsigned>(code), 1) + kQuestion);
}

TEST(DnsMessage, AnswersEdnsWithEdns) {
    const auto query = parse_dns_query(dns_header(0x1234, kAsked, 1, 0, 0, 1) + kQuestion + kOpt).value();
    EXPECT_EQ(encode_dns_answer(query, {ResponseCode::refused, {}, "", 0}, 512),
              dns_header(0x1234, 0x8185, 1, 0, 0, 1) + kQuestion + kOurOpt);
}

TEST(DnsMessage, WhatDoesNotFitIsSaidToBeCut) {
    DnsAnswer answer{ResponseCode::no_error, std::vector<policy::Address>(40, address("198.18.0.2")), "", 60};
    EXPECT_EQ(encode_dns_answer(question("a.example", kA), answer, 512),
              dns_header(0x1234, kAnswered | 0x0200, 1) + kQuestion);
    EXPECT_GT(encode_dns_answer(question("a.example", kA), answer, kTcpLimit).size(), 512U);
}

TEST(DnsMessage, KnowsAddressesInNames) {
    EXPECT_EQ(reverse_address("4.3.2.1.in-addr.arpa"), address("1.2.3.4"));
    EXPECT_EQ(reverse_address("2.0.0.0.2.1.6.c.0.0.0.0.0.0.0.0.0.0.0.0.5.6.6.7.5.6.5.6.2.7.d.f.ip6.arpa"),
              address("fd72:6565:7665::c612:2"));
    for (const char* name : {"3.2.1.in-addr.arpa", "4.3.2.1.0.in-addr.arpa", "x.3.2.1.in-addr.arpa",
                             "in-addr.arpa", "400.3.2.1.in-addr.arpa", "1.ip6.arpa", "4.3.2.1.example", "",
                             "2.0.0.0.2.1.6.c.0.0.0.0.0.0.0.0.0.0.0.0.5.6.6.7.5.6.5.6.2.7.d.g.ip6.arpa"})
        EXPECT_EQ(reverse_address(name), std::nullopt) << name;
}

TEST(DnsMessage, NamesTypes) {
    EXPECT_EQ(type_name(RecordType{kHttps}), "HTTPS");
    EXPECT_EQ(type_name(RecordType::aaaa), "AAAA");
    EXPECT_EQ(type_name(RecordType{65280}), "TYPE65280");
}

}  // namespace
}  // namespace reeve::egress
