#include "daemon/egress/first_bytes.hpp"

#include <gtest/gtest.h>
#include <openssl/ssl.h>

#include <algorithm>
#include <vector>

namespace reeve::egress {
namespace {

TEST(ProtocolOf, TellsByAsFewBytesAsCan) {
    struct Case {
        std::string_view bytes;
        std::optional<Protocol> protocol;
    };
    const Case cases[] = {
        {"", std::nullopt},
        {"\x16", std::nullopt},
        {"\x16\x03", Protocol::tls},
        {"\x16\x03\x01\x02", Protocol::tls},
        {"\x16\x02", Protocol::other},
        {"\x15\x03", Protocol::other},
        {"G", std::nullopt},
        {"GET", std::nullopt},
        {"GET ", Protocol::http},
        {"VERSION-CONTROL ", Protocol::http},
        {"M-SEARCH * HTTP/1.1", Protocol::http},
        {" GET", Protocol::other},
        {"get ", Protocol::other},
        {"SSH-2", Protocol::other},
        {"GET\t", Protocol::other},
        {"AAAAAAAAAAAAAAAAAAAAAAAA", std::nullopt},
        {"AAAAAAAAAAAAAAAAAAAAAAAAA", Protocol::other},
        {std::string_view("\0", 1), Protocol::other},
    };
    for (const auto& [bytes, protocol] : cases) EXPECT_EQ(protocol_of(bytes), protocol) << bytes;
}

std::string number(std::size_t value, int width) {
    std::string text;
    for (int at = width - 1; at >= 0; --at) text += static_cast<char>(value >> (8 * at));
    return text;
}
std::string sized(int width, const std::string& bytes) {
    return number(bytes.size(), width) + bytes;
}
std::string extension(unsigned type, const std::string& body) {
    return number(type, 2) + sized(2, body);
}
std::string server_name(const std::string& entries) {
    return extension(0, sized(2, entries));
}
std::string host_entry(const std::string& name, char type = '\0') {
    return type + sized(2, name);
}

// RFC 8446 section 4.1.2, as a handshake message.
std::string hello_message(const std::string& extensions) {
    const std::string body = std::string("\x03\x03") + std::string(32, 'r') + sized(1, std::string(32, 's')) +
                             sized(2, std::string("\x13\x01", 2)) + sized(1, std::string(1, '\0')) +
                             sized(2, extensions);
    return '\x01' + sized(3, body);
}
// In records of at most that many bytes.
std::string in_records(std::string_view message, std::size_t most) {
    std::string records;
    for (; !message.empty(); message.remove_prefix(std::min(most, message.size())))
        records += "\x16\x03\x01" + sized(2, std::string(message.substr(0, most)));
    return records;
}

std::string show(const platform::Result<std::optional<Hello>>& result) {
    if (!result) return "Error: " + result.error().why;
    if (!*result) return "more";
    return (*result)->sni + " " + (*result)->alpn + ((*result)->encrypted ? " ech" : "");
}
// Fed in pieces of that many bytes, up to the first that says something.
std::string read(std::string_view bytes, std::size_t piece) {
    HelloReader reader;
    std::string said = "more";
    for (; said == "more" && !bytes.empty(); bytes.remove_prefix(std::min(piece, bytes.size())))
        said = show(reader.feed(bytes.substr(0, piece)));
    return said;
}

// What OpenSSL's client sends.
std::string client_hello(const char* name, bool with_alpn) {
    const std::unique_ptr<SSL_CTX, decltype(&SSL_CTX_free)> context(SSL_CTX_new(TLS_client_method()),
                                                                    &SSL_CTX_free);
    const std::unique_ptr<SSL, decltype(&SSL_free)> ssl(SSL_new(context.get()), &SSL_free);
    BIO* out = BIO_new(BIO_s_mem());
    SSL_set_bio(ssl.get(), BIO_new(BIO_s_mem()), out);
    if (name != nullptr) SSL_set_tlsext_host_name(ssl.get(), name);
    const unsigned char protocols[] = "\x02h2\x08http/1.1";
    if (with_alpn) SSL_set_alpn_protos(ssl.get(), protocols, sizeof protocols - 1);
    SSL_connect(ssl.get());
    char* data = nullptr;
    const auto size = BIO_get_mem_data(out, &data);
    return {data, static_cast<std::size_t>(size)};
}

TEST(HelloReader, ReadsARealClient) {
    EXPECT_EQ(read(client_hello("api.example.com", true), 1 << 20), "api.example.com h2,http/1.1");
    EXPECT_EQ(read(client_hello("api.example.com", true), 1), "api.example.com h2,http/1.1");
    EXPECT_EQ(read(client_hello(nullptr, false), 1 << 20), " ");
}

TEST(HelloReader, ReadsAnyNumberOfRecordsAndSegments) {
    const std::string message = hello_message(server_name(host_entry("a.example")));
    for (const std::size_t record : {1U, 2U, 7U, 100U, 16384U})
        for (const std::size_t piece : {1U, 3U, 5U, 1U << 20})
            EXPECT_EQ(read(in_records(message, record), piece), "a.example ") << record << " " << piece;
}

TEST(HelloReader, ReadsOldAndNewVersions) {
    std::string message = hello_message(server_name(host_entry("a.example")));
    for (const char minor : {'\x00', '\x01', '\x02', '\x03', '\x04'}) {
        message[5] = minor;
        EXPECT_EQ(read(in_records(message, 16384), 1 << 20), "a.example ") << int{minor};
    }
}

TEST(HelloReader, WhatFollowsIsOfNoInterest) {
    EXPECT_EQ(
        read(in_records(hello_message(server_name(host_entry("a.example"))), 16384) + "early data", 1 << 20),
        "a.example ");
}

TEST(HelloReader, TellsAnEncryptedHello) {
    const std::string outer = server_name(host_entry("public.example"));
    EXPECT_EQ(read(in_records(hello_message(outer + extension(0xfe0d, "anything")), 16384), 1),
              "public.example  ech");
    EXPECT_EQ(read(in_records(hello_message(extension(0xfe0d, "")), 16384), 1), "  ech");
}

TEST(HelloReader, RefusesNamesThatTwoReadersCouldTakeForDifferentOnes) {
    const std::string wrong_name = "Error: its server name is not exactly one host name";
    const std::string cases[] = {
        server_name(""),
        extension(0, ""),
        server_name(host_entry("")),
        server_name(host_entry("a.example") + host_entry("b.example")),
        server_name(host_entry("a.example") + host_entry("b.example", '\x01')),
        server_name(host_entry("a.example", '\x01')),
        server_name(host_entry(std::string("a.example\0.evil.example", 23))),
        extension(0, sized(2, host_entry("a.example")) + "x"),
        server_name(host_entry("a.example") + "x"),
        extension(0, number(5, 2) + "abc"),
    };
    for (const std::string& bytes : cases)
        EXPECT_EQ(read(in_records(hello_message(bytes), 16384), 1 << 20), wrong_name)
            << testing::PrintToString(bytes);
    const std::string twice = server_name(host_entry("a.example")) + server_name(host_entry("b.example"));
    EXPECT_EQ(read(in_records(hello_message(twice), 16384), 1 << 20), "Error: these bytes are none");
}

TEST(HelloReader, RefusesWhatIsNone) {
    const std::string alpn = extension(16, sized(2, std::string("\x05h2")));
    EXPECT_EQ(read(in_records(hello_message(alpn), 16384), 1 << 20),
              "Error: its list of application protocols is malformed");
    EXPECT_EQ(read("GET / HTTP/1.1\r\nHost: a.example\r\n\r\n", 1 << 20), "Error: these bytes are none");
    EXPECT_EQ(read(in_records("\x02" + sized(3, std::string(40, 'x')), 16384), 1),
              "Error: these bytes are none");
    EXPECT_EQ(read(std::string("\x16\x03\x01\x00\x00", 5) + std::string(8, 'x'), 1 << 20),
              "Error: these bytes are none");
    EXPECT_EQ(read(in_records(hello_message(extension(0x7777, std::string(65000, 'x'))).substr(0, 66000), 1),
                   1 << 10),
              "Error: it is longer than 64 KiB");
    EXPECT_EQ(
        read(in_records(hello_message(server_name(host_entry("a.example"))), 16384).substr(0, 60), 1 << 20),
        "more");
}

TEST(HelloReader, IsReadOnce) {
    HelloReader reader;
    ASSERT_TRUE(reader.feed(in_records(hello_message(""), 16384)).value());
    EXPECT_FALSE(reader.feed("x"));
}

}  // namespace
}  // namespace reeve::egress
