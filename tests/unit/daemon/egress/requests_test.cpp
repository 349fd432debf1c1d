// Each rule of first_bytes.hpp for HTTP/1.x requests, each way round it that is known.
#include <gtest/gtest.h>

#include <algorithm>

#include "daemon/egress/first_bytes.hpp"

namespace reeve::egress {
namespace {

struct To {
    const char* host = "a.example";
    std::uint16_t port = 80;
};

// How many bytes are passed on, or why none are.
std::string read(std::string_view bytes, std::size_t piece, const To& to = {}) {
    Requests requests(to.host, to.port);
    std::uint64_t passed = 0;
    for (; !bytes.empty(); bytes.remove_prefix(std::min(piece, bytes.size()))) {
        const auto result = requests.feed(bytes.substr(0, piece));
        if (!result) return result.error().why;
        passed = *result;
    }
    return std::to_string(passed);
}

std::string read_all_ways(std::string_view bytes, const To& to = {}) {
    const std::string whole = read(bytes, bytes.size(), to);
    for (const std::size_t piece : {1U, 2U, 3U, 7U}) EXPECT_EQ(read(bytes, piece, to), whole) << bytes;
    return whole;
}

std::string get(std::string_view fields, std::string_view target = "/", std::string_view method = "GET",
                std::string_view version = "HTTP/1.1") {
    std::string text(method);
    return text.append(" ").append(target).append(" ").append(version).append("\r\n").append(fields).append(
        "\r\n");
}
const std::string kHost = "Host: a.example\r\n";

void passes(const std::string& bytes, const To& to = {}) {
    EXPECT_EQ(read_all_ways(bytes, to), std::to_string(bytes.size())) << bytes;
}
void fails(const std::string& bytes, const std::string& why, const To& to = {}) {
    EXPECT_EQ(read_all_ways(bytes, to), why) << bytes;
}

constexpr auto kOtherHost = "its Host is another host or port";
constexpr auto kOtherTarget = "its target is for another host or port";
constexpr auto kLine = "a line of it does not end in CR LF, or has a NUL";
constexpr auto kField = "a field of it is malformed";
constexpr auto kTwice = "the length of its body is said twice";
constexpr auto kNotChunked = "its Transfer-Encoding is not chunked alone";
constexpr auto kVersion = "its first line is not of HTTP/1.0 or 1.1";

TEST(Requests, PassesWhatClientsSend) {
    passes(get(kHost + "User-Agent: curl/7.88.1\r\nAccept: */*\r\n"));
    passes(get(kHost, "/", "GET", "HTTP/1.0"));
    passes(get(kHost + "X-Empty:\r\nX-Blank: \t \r\nX-Text: \xc3\xbc\r\n", "/\xc3\xbc?q=%00"));
    passes(get(kHost, "*", "OPTIONS"));
    passes(get(kHost, "/", "PROPFIND"));
}

TEST(Requests, HeadIsHeldUntilItIsWhole) {
    const std::string head = get(kHost);
    EXPECT_EQ(read(head.substr(0, head.size() - 1), 1), "0");
    EXPECT_EQ(read(head + head.substr(0, 5), 1), std::to_string(head.size()));
}

TEST(Requests, HostIsTheName) {
    for (const char* host : {"A.Example", "a.example.", "a.example:80", "a.example.:80", " \ta.example \t"})
        passes(get("hOsT:" + std::string(host) + "\r\n"));
    for (const char* host :
         {"evil.example", "a.example.evil.example", "xa.example", "a.example:8080",
          "a.example:", "a.example:080x", "a.example:-80", "a.example:65616", "a.example:80:80",
          "a.example..", "user@a.example", "a.example/", "a.example,evil.example", "a.example evil.example",
          "", "http://a.example", "[a.example]", "a.example#", "a.example%00"})
        fails(get("Host: " + std::string(host) + "\r\n"), kOtherHost);
    fails(get(""), "it has no Host");
    fails(get("", "/", "GET", "HTTP/1.0"), "it has no Host");
    fails(get(kHost + "Host: evil.example\r\n"), "it has two Hosts");
    fails(get(kHost + kHost), "it has two Hosts");
}

TEST(Requests, PortIsThePort) {
    const To other{"a.example", 8080};
    passes(get("Host: a.example:8080\r\n"), other);
    fails(get(kHost), kOtherHost, other);
    fails(get("Host: a.example:80\r\n"), kOtherHost, other);
}

TEST(Requests, HostIsTheAddress) {
    passes(get("Host: 192.0.2.1\r\n"), {"192.0.2.1", 80});
    passes(get("Host: [2001:db8::1]:8080\r\n"), {"2001:db8::1", 8080});
    passes(get("Host: [2001:DB8:0::1]\r\n"), {"2001:db8::1", 80});
    for (const char* host :
         {"192.0.2.2", "[::ffff:192.0.2.2]", "3221225985", "0xc0.0.2.1", "192.0.2.1.", "[192.0.2.1]"})
        fails(get("Host: " + std::string(host) + "\r\n"), kOtherHost, {"192.0.2.1", 80});
    for (const char* host : {"2001:db8::1", "[2001:db8::1", "[2001:db8::2]", "[2001:db8::1%25lo]", "[]"})
        fails(get("Host: " + std::string(host) + "\r\n"), kOtherHost, {"2001:db8::1", 80});
}

TEST(Requests, AbsoluteFormIsForTheSameHost) {
    for (const char* target :
         {"http://a.example", "http://A.EXAMPLE:80/x", "HTTP://a.example?q", "http://a.example./"})
        passes(get(kHost, target));
    for (const char* target : {"http://evil.example/", "http://user@a.example/",
                               "http://a.example@evil.example/", "http://a.example:8080/", "http:///x",
                               "http://evil.example\\@a.example/", "http://a.example\\.evil.example/"})
        fails(get(kHost, target), kOtherTarget);
    for (const char* target :
         {"https://a.example/", "a.example:80", "x", "*", "?q", "http:/a.example", "ftp://a.example/"})
        fails(get(kHost, target), "its target is no path");
    fails(get("Host: evil.example\r\n", "http://a.example/"), kOtherHost);
}

TEST(Requests, OtherMethodsAndProtocolsAreRefused) {
    fails(get(kHost, "a.example:443", "CONNECT"), "it is a CONNECT");
    fails(get(kHost, "/", "connect"), "it is a CONNECT");
    fails(get(kHost + "Connection: Upgrade\r\nUpgrade: websocket\r\n"),
          "it asks for another protocol (Upgrade)");
    fails(get(kHost + "upgrade: h2c\r\n"), "it asks for another protocol (Upgrade)");
    fails("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", kVersion);
    for (const char* version : {"HTTP/1.2", "HTTP/2.0", "HTTP/0.9", "http/1.1", "HTTP/1.1 ", "HTTP/1.10", ""})
        fails(get(kHost, "/", "GET", version), kVersion);
    fails("GET /\r\n\r\n", kVersion);
    fails("GET  / HTTP/1.1\r\n" + kHost + "\r\n", kVersion);
    fails("GET\t/ HTTP/1.1\r\n" + kHost + "\r\n", kVersion);
    fails("G(T / HTTP/1.1\r\n" + kHost + "\r\n", kVersion);
    fails("\r\n" + get(kHost), kVersion);
}

TEST(Requests, LinesEndInOneWay) {
    fails("GET / HTTP/1.1\nHost: a.example\n\n", kLine);
    fails("GET / HTTP/1.1\r\nHost: a.example\n\r\n", kLine);
    fails("GET / HTTP/1.1\rX\r\n" + kHost + "\r\n", kLine);
    fails("GET / HTTP/1.1\r\r\n" + kHost + "\r\n", kLine);
    fails(get(kHost + std::string("X: a\0b\r\n", 8)), kLine);
    fails(get(kHost + "X: a\r\n Host: evil.example\r\n"), "a field of it goes over several lines");
    fails(get("Host: a.example\r\n\t.evil.example\r\n"), "a field of it goes over several lines");
    fails("GET / HTTP/1.1\r\n Host: evil.example\r\n" + kHost + "\r\n",
          "a field of it goes over several lines");
}

TEST(Requests, FieldsAreFields) {
    for (const char* field : {"Host : a.example", "Host\t: a.example", ": x", "X", "X y: z", "X: a\x7f",
                              "X: a\x01", "X\xc3\xbc: a"})
        fails(get(kHost + field + "\r\n"), kField);
}

TEST(Requests, HeadHasABound) {
    const std::string start = get(kHost + "X: ").substr(0, get(kHost).size() - 2) + "X: ";
    const std::size_t room = (std::size_t{64} << 10) - start.size() - 4;
    passes(start + std::string(room, 'x') + "\r\n\r\n");
    fails(start + std::string(room + 1, 'x') + "\r\n\r\n", "its head is longer than 64 KiB");
}

TEST(Requests, BodyOfALength) {
    const std::string post = get(kHost + "Content-Length: 5\r\n", "/", "POST");
    passes(post + std::string("he\n\0o", 5) + get(kHost));
    passes(get(kHost + "Content-Length: 0\r\n", "/", "POST") + get(kHost));
    EXPECT_EQ(read(post + "hel", 1), std::to_string(post.size() + 3));  // at once, not when it is whole
    fails(post + "hello" + get("Host: evil.example\r\n"), kOtherHost);
    for (const char* length :
         {"", "-1", "+5", "0x5", "5 5", "5, 5", "5,6", "5;", "18446744073709551616", "1e1", "５"})
        fails(get(kHost + "Content-Length: " + length + "\r\n", "/", "POST"),
              "its Content-Length is no number");
}

TEST(Requests, LengthIsSaidOnce) {
    fails(get(kHost + "Content-Length: 5\r\nContent-Length: 5\r\n", "/", "POST"), kTwice);
    fails(get(kHost + "Content-Length: 5\r\nContent-Length: 6\r\n", "/", "POST"), kTwice);
    fails(get(kHost + "Content-Length: 5\r\nTransfer-Encoding: chunked\r\n", "/", "POST"), kTwice);
    fails(get(kHost + "Transfer-Encoding: chunked\r\nContent-Length: 5\r\n", "/", "POST"), kTwice);
    fails(get(kHost + "Transfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n", "/", "POST"), kTwice);
    fails(get(kHost + "Transfer_Encoding: chunked\r\n", "/", "POST"),
          "it has a field that is taken for transfer-encoding");
    fails(get(kHost + "Content_Length: 5\r\n", "/", "POST"),
          "it has a field that is taken for content-length");
}

TEST(Requests, TransferEncodingIsChunkedAlone) {
    for (const char* coding : {"", "identity", "gzip", "gzip, chunked", "chunked, gzip", "chunked, chunked",
                               "xchunked", "chunked;q=1", "\"chunked\"", "chunked\x0b"}) {
        const auto said = read_all_ways(get(kHost + "Transfer-Encoding: " + coding + "\r\n", "/", "POST"));
        EXPECT_TRUE(said == kNotChunked || said == kField) << coding << ": " << said;
    }
    fails(get(kHost + "Transfer-Encoding: chunked\r\n", "/", "POST", "HTTP/1.0"),
          "it is HTTP/1.0 with a Transfer-Encoding");
    passes(get(kHost + "Transfer-Encoding: \tCHUNKED \r\n", "/", "POST") + "0\r\n\r\n");
}

TEST(Requests, BodyInChunks) {
    const std::string post = get(kHost + "Transfer-Encoding: chunked\r\n", "/", "POST");
    passes(post + "5\r\nhello\r\n00A\r\n0123456789\r\n0\r\n\r\n" + get(kHost));
    passes(post + "1\r\n\n\r\n000\r\n\r\n");
    EXPECT_EQ(read(post + "5\r\nhe", 1), std::to_string(post.size() + 5));
    EXPECT_EQ(read(post + "5\r\nhello\r", 1), std::to_string(post.size() + 8));
    EXPECT_EQ(read(post + "0\r\n\r", 1), std::to_string(post.size() + 3));
    fails(post + "0\r\n\r\n" + get("Host: evil.example\r\n"), kOtherHost);
    for (const char* size :
         {"", "x", "-1", "+1", "0x5", "5 ", " 5", "5;a=b", "5;", "10000000000000000", "5\t"})
        fails(post + size + "\r\nhello\r\n0\r\n\r\n", "the size of a chunk of it is no number");
    fails(post + "5\nhello\r\n", kLine);
    fails(post + "5\r\nhello\n", kLine);
    fails(post + "5\r\nhelloX\r\n0\r\n\r\n", "a chunk of it is longer than it said");
    fails(post + "0\r\nHost: evil.example\r\n\r\n", "it has fields behind its body");
    fails(post + "0\r\n\n", kLine);
}

TEST(Requests, EveryRequestOfAConnectionIsHeldToIt) {
    const std::string first = get(kHost);
    fails(first + get("Host: evil.example\r\n"), kOtherHost);
    passes(first + first + get(kHost + "Content-Length: 3\r\n", "/", "POST") + "abc" + first);
    Requests requests("a.example", 80);
    ASSERT_EQ(requests.feed(first).value(), first.size());
    ASSERT_FALSE(requests.feed("X\n"));
    EXPECT_FALSE(requests.feed(first));  // an Error is the end
}

TEST(Requests, ABodyThatWaitsToBeAskedFor) {
    const std::string head = get(kHost + "Expect: 100-continue\r\nContent-Length: 3\r\n", "/", "PUT");
    Requests requests("a.example", 80);
    ASSERT_EQ(requests.feed(head).value(), head.size());
    EXPECT_EQ(requests.feed("abc").value(), head.size() + 3);
    EXPECT_EQ(requests.feed(get(kHost)).value(), head.size() + 3 + get(kHost).size());
}

}  // namespace
}  // namespace reeve::egress
