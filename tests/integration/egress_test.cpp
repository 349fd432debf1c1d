// The whole way: from a socket of a session's network through the doors and reeve-egress to a server outside.
#include <fcntl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include <cstring>
#include <fstream>
#include <random>

#include "tests/integration/egress_scene.hpp"
#include "tests/integration/tls_peer.hpp"

namespace reeve::test {
namespace {

using egress::Outcome;
using platform::Fd;

class EgressTest : public testing::Test {
  protected:
    void SetUp() override {
        if (::geteuid() != 0) GTEST_SKIP() << "needs root: makes a network namespace";
        if (::access("/etc/hosts", F_OK) != 0) GTEST_SKIP() << "needs an /etc/hosts to mount its own over";
    }
    // Says it as a client of that name; the connection is reset, and nothing of it arrives outside.
    void is_refused(EgressProcess& egress, const Fd& client, const std::string& said,
                    const std::string& reason) {
        ASSERT_TRUE(client);
        send_all(client.get(), said);
        EXPECT_EQ(end_of(client.get()), -ECONNRESET);
        const egress::Report got = egress.report();
        EXPECT_EQ(got.outcome, Outcome::denied);
        EXPECT_EQ(got.reason, reason);
        EXPECT_EQ(got.bytes_up, 0U);
        while (server_.somebody_waits()) {
            const Fd peer = server_.accept();
            EXPECT_LE(end_of(peer.get()), 0);
        }
    }
    // A connection that is through, both ends.
    std::pair<Fd, Fd> through(EgressProcess& egress) {
        Fd client = egress.connect("any.example", server_.port());
        Fd peer = server_.accept();
        EXPECT_TRUE(client && peer);
        return {std::move(client), std::move(peer)};
    }
    Listener server_;
};

TEST_F(EgressTest, TlsWithTheRightNameGoesThrough) {
    EgressProcess egress;
    Fd socket = egress.connect("allowed.example", server_.port());
    ASSERT_TRUE(socket);
    auto client = TlsPeer::client(std::move(socket), "allowed.example");
    auto serving = std::async([&] {
        auto server = TlsPeer::server(server_.accept());
        return server.handshake() && server.send(server.receive(100) + " back");
    });
    ASSERT_TRUE(client.handshake());
    ASSERT_TRUE(client.send("there"));
    EXPECT_EQ(client.receive(100), "there back");
    EXPECT_TRUE(serving.get());
    client.close();
    const egress::Report got = egress.report();
    EXPECT_EQ(got.outcome, Outcome::allowed);
    EXPECT_EQ(got.host, "allowed.example");
    EXPECT_EQ(got.address, "127.0.0.1");
    EXPECT_EQ(got.sni, "allowed.example");
    EXPECT_GT(got.bytes_up, 0U);
    EXPECT_GT(got.bytes_down, got.bytes_up);
}

TEST_F(EgressTest, AHandshakeByteByByteGoesThrough) {
    EgressProcess egress;
    auto client = TlsPeer::client(egress.connect("allowed.example", server_.port()), "allowed.example", true);
    auto serving = std::async([&] { return TlsPeer::server(server_.accept()).handshake(); });
    EXPECT_TRUE(client.handshake());
    EXPECT_TRUE(serving.get());
}

TEST_F(EgressTest, CurlFindsItsWay) {
    EgressProcess egress;
    auto serving = std::async([&] {
        auto server = TlsPeer::server(server_.accept());
        return server.handshake() && !server.receive(4096).empty() &&
               server.send("HTTP/1.1 200 OK\r\nContent-Length: 5\r\nConnection: close\r\n\r\nhello");
    });
    EXPECT_EQ(egress.run_inside({"/usr/bin/curl", "-sk", "--max-time", "20",
                                 "https://allowed.example:" + std::to_string(server_.port()) + "/"}),
              "hello");
    EXPECT_TRUE(serving.get());
}

TEST_F(EgressTest, AnotherNameOrNoneIsRefused) {
    EgressProcess egress;
    for (const std::string name : {"evil.example", ""}) {
        auto client = TlsPeer::client(egress.connect("allowed.example", server_.port()), name);
        EXPECT_FALSE(client.handshake());
        const egress::Report got = egress.report();
        EXPECT_EQ(got.outcome, Outcome::denied);
        EXPECT_EQ(got.ended, "mismatch");
        EXPECT_EQ(got.sni, name);
        EXPECT_EQ(got.bytes_up, 0U);
    }
}

TEST_F(EgressTest, PlainHttpIsHeldAgainstItsHost) {
    EgressProcess egress;
    const std::string host = "allowed.example:" + std::to_string(server_.port());
    const std::string right = "GET / HTTP/1.1\r\nHost: " + host + "\r\n\r\n";
    const Fd client = egress.connect("allowed.example", server_.port());
    ASSERT_TRUE(send_all(client.get(), right));
    const Fd peer = server_.accept();
    EXPECT_EQ(receive(peer.get(), right.size()), right);
    ASSERT_TRUE(send_all(peer.get(), "HTTP/1.1 204 None\r\n\r\n"));
    EXPECT_EQ(receive(client.get(), 21), "HTTP/1.1 204 None\r\n\r\n");
    ASSERT_TRUE(send_all(client.get(), right));
    EXPECT_EQ(receive(peer.get(), right.size()), right);
    send_all(client.get(), "GET /secret HTTP/1.1\r\nHost: evil.example\r\n\r\n");
    EXPECT_EQ(end_of(client.get()), -ECONNRESET);
    EXPECT_EQ(end_of(peer.get()), -ECONNRESET);
    const egress::Report got = egress.report();
    EXPECT_EQ(got.outcome, Outcome::denied);
    EXPECT_EQ(got.bytes_up, 2 * right.size());

    const Fd other = egress.connect("allowed.example", server_.port());
    send_all(other.get(), "GET / HTTP/1.1\r\nHost: evil.example\r\n\r\n");
    EXPECT_EQ(end_of(other.get()), -ECONNRESET);
    EXPECT_EQ(egress.report().bytes_up, 0U);
}

TEST_F(EgressTest, AnUnknownProtocolIsRefused) {
    EgressProcess egress;
    is_refused(egress, egress.connect("allowed.example", server_.port()), "SSH-2.0-OpenSSH_9.2\r\n",
               "it is neither TLS nor HTTP/1.1, so that nothing says that it is for allowed.example");
}

TEST_F(EgressTest, ANameThatLeadsInsideIsRefused) {
    EgressProcess egress;
    is_refused(egress, egress.connect("public.example", server_.port()), "", "127.0.0.1: no rule allows it");
}

TEST_F(EgressTest, LiteralsAndUnknownNamesAreRefused) {
    EgressProcess egress;
    is_refused(egress, egress.connect("203.0.113.7", 443), "", "no rule allows it");
    is_refused(egress, egress.connect("198.19.1.1", 443), "",
               "no name was ever given this address: names are asked for first");
    EXPECT_EQ(egress.look_up("unknown.example"), "");
}

TEST_F(EgressTest, HalfClosesAndResetsArePassedOn) {
    EgressProcess egress;
    auto [client, peer] = through(egress);
    ASSERT_TRUE(send_all(client.get(), "question"));
    ::shutdown(client.get(), SHUT_WR);
    EXPECT_EQ(receive(peer.get(), 100), "question");
    ASSERT_TRUE(send_all(peer.get(), "answer"));
    EXPECT_EQ(receive(client.get(), 6), "answer");
    peer.reset();
    EXPECT_EQ(end_of(client.get()), 0);
    EXPECT_EQ(egress.report().ended, "closed");

    auto [second, second_peer] = through(egress);
    ASSERT_TRUE(send_all(second.get(), "x"));
    EXPECT_EQ(receive(second_peer.get(), 1), "x");
    reset(second);
    EXPECT_EQ(end_of(second_peer.get()), -ECONNRESET);
    EXPECT_EQ(egress.report().ended, "reset");
}

std::string noise(std::size_t size) {
    std::mt19937_64 random(size);
    std::string bytes(size, '\0');
    for (std::size_t i = 0; i + 8 <= size; i += 8) {
        const std::uint64_t word = random();
        std::memcpy(bytes.data() + i, &word, sizeof word);
    }
    return bytes;
}

TEST_F(EgressTest, AHundredMegabytesBothWays) {
    EgressProcess egress;
    auto [client, peer] = through(egress);
    const std::string up = noise(100'000'000), down = noise(100'000'008);
    std::thread client_says([&, fd = client.get()] { send_all(fd, up); });
    std::thread peer_says([&, fd = peer.get()] { send_all(fd, down); });
    auto came_up = std::async([&, fd = peer.get()] { return receive(fd, up.size()) == up; });
    EXPECT_TRUE(receive(client.get(), down.size()) == down);
    EXPECT_TRUE(came_up.get());
    client_says.join();
    peer_says.join();
    client.reset();
    peer.reset();
    const egress::Report got = egress.report();
    EXPECT_EQ(got.bytes_up, up.size());
    EXPECT_EQ(got.bytes_down, down.size());
    EXPECT_EQ(got.ended, "closed");
}

TEST_F(EgressTest, ASlowReaderCostsNoMemory) {
    EgressProcess egress;
    auto [client, peer] = through(egress);
    const std::size_t before = egress.resident_kib();
    const std::string chunk = noise(1 << 20);
    const timeval soon{.tv_sec = 0, .tv_usec = 200'000};
    ::setsockopt(client.get(), SOL_SOCKET, SO_SNDTIMEO, &soon, sizeof soon);
    std::size_t sent = 0;
    for (ssize_t got; (got = ::send(client.get(), chunk.data(), chunk.size(), MSG_NOSIGNAL)) > 0;) {
        sent += static_cast<std::size_t>(got);
        ASSERT_LT(sent, std::size_t{256} << 20);
    }
    EXPECT_LT(egress.resident_kib(), before + 1024);
    EXPECT_EQ(receive(peer.get(), sent).size(), sent);
}

TEST_F(EgressTest, AServerThatIsKilledEndsTheConnection) {
    EgressProcess egress;
    const Fd client = egress.connect("any.example", server_.port());
    const pid_t child = ::fork();
    if (child == 0) {
        const Fd peer = server_.accept();
        send_all(peer.get(), "up");
        ::pause();
    }
    EXPECT_EQ(receive(client.get(), 2), "up");
    ASSERT_TRUE(send_all(client.get(), "unread"));
    ::kill(child, SIGKILL);
    ::waitpid(child, nullptr, 0);
    EXPECT_LE(end_of(client.get()), 0);
}

TEST_F(EgressTest, WhoseItIs) {
    EgressProcess egress;
    Fd client = egress.connect("any.example", server_.port(), [&](int socket) {
        struct stat what {};
        ASSERT_EQ(::fstat(socket, &what), 0);
        egress.tell({.inode = what.st_ino + 1, .pid = 1, .exe = "/usr/bin/other"});
        egress.tell({.inode = what.st_ino, .pid = 4242, .start_ns = 7, .exe = "/usr/bin/agent"});
    });
    // A socket that is closed by the time that it is looked for is nobody's.
    server_.accept().reset();
    client.reset();
    const egress::Report got = egress.report();
    EXPECT_EQ(got.pid, 4242);
    EXPECT_EQ(got.start_ns, 7U);
    EXPECT_EQ(got.exe, "/usr/bin/agent");
}

TEST_F(EgressTest, NoMoreLeavesThanMay) {
    EgressProcess egress({.host_upload = 1000});
    auto [client, peer] = through(egress);
    ASSERT_TRUE(send_all(client.get(), std::string(1000, 'x')));
    EXPECT_EQ(receive(peer.get(), 1000).size(), 1000U);
    send_all(client.get(), "y");
    EXPECT_EQ(end_of(peer.get()), -ECONNRESET);
    EXPECT_EQ(egress.report().ended, "budget");
}

// RLIMIT_NOFILE of this process and, since it is inherited, of that one.
bool allow_descriptors(rlim_t most) {
    rlimit limit{};
    ::getrlimit(RLIMIT_NOFILE, &limit);
    limit.rlim_cur = std::max(limit.rlim_cur, most);
    limit.rlim_max = std::max(limit.rlim_max, limit.rlim_cur);
    return ::setrlimit(RLIMIT_NOFILE, &limit) == 0;
}

TEST_F(EgressTest, TwoThousandIdleConnectionsHoldNoPipes) {
    if (!allow_descriptors(8'000)) GTEST_SKIP() << "needs 8,000 descriptors";
    EgressProcess egress;
    const std::string literal = egress.look_up("any.example");
    std::vector<std::pair<Fd, Fd>> all;
    for (int i = 0; i < 2000; ++i) {
        Fd client = egress.connect(literal, server_.port());
        all.emplace_back(std::move(client), server_.accept());
        ASSERT_TRUE(send_all(all.back().first.get(), "x"));
        ASSERT_EQ(receive(all.back().second.get(), 1), "x");
    }
    EXPECT_LE(egress.pipes(), 2U * 33);
}

TEST_F(EgressTest, TenThousandThatSayNothingDoNotHurt) {
    if (!allow_descriptors(12'000)) GTEST_SKIP() << "needs 12,000 descriptors";
    EgressProcess egress;
    const std::string literal = egress.look_up("allowed.example");
    // While nobody took the reports, nobody would be let in.
    constexpr int kMany = 10'000, kMost = 4096;
    auto reading = std::async([&] {
        for (int i = 0; i < kMany - kMost; ++i)
            if (egress.report().reason != "newer connections took its place") return false;
        return true;
    });
    std::vector<Fd> silent;
    for (int i = 0; i < kMany; ++i) silent.push_back(egress.connect(literal, server_.port()));
    const Listener other;
    const Fd client = egress.connect(literal, other.port());
    const std::string request =
        "GET / HTTP/1.1\r\nHost: allowed.example:" + std::to_string(other.port()) + "\r\n\r\n";
    ASSERT_TRUE(send_all(client.get(), request));
    const Fd peer = other.accept();
    EXPECT_EQ(receive(peer.get(), request.size()), request);
    EXPECT_LT(egress.resident_kib(), 100U * 1024);
    EXPECT_TRUE(reading.get());
}

// Reports are not read here: in the end nobody is let in, and no name is answered, until they are.
TEST_F(EgressTest, WhatCannotBeRecordedDoesNotHappen) {
    EgressProcess egress;
    const timeval soon{.tv_sec = 1, .tv_usec = 0};
    int refused = 0;
    for (Fd client; refused < 20'000; ++refused) {
        client = egress.connect("203.0.113.7", 443);
        ::setsockopt(client.get(), SOL_SOCKET, SO_RCVTIMEO, &soon, sizeof soon);
        if (end_of(client.get()) != -ECONNRESET) break;
    }
    EXPECT_GT(refused, 100);
    EXPECT_LT(refused, 20'000);
    auto name = std::async([&] { return egress.look_up("allowed.example"); });
    EXPECT_EQ(name.wait_for(std::chrono::milliseconds(200)), std::future_status::timeout);
    // The one that waits is refused as well, and recorded, once there is room.
    for (int i = 0; i <= refused; ++i) EXPECT_EQ(egress.report().reason, "no rule allows it");
    EXPECT_NE(name.get(), "");
}

TEST_F(EgressTest, TheEndOfTheSession) {
    EgressProcess egress;
    auto [client, peer] = through(egress);
    ASSERT_TRUE(send_all(client.get(), "abc"));
    EXPECT_EQ(receive(peer.get(), 3), "abc");
    EXPECT_EQ(egress.end(), 0);
    EXPECT_TRUE(egress.said_all());
    ASSERT_EQ(egress.reports().size(), 1U);
    EXPECT_EQ(egress.reports()[0].ended, "session end");
    EXPECT_EQ(egress.reports()[0].bytes_up, 3U);
    EXPECT_EQ(end_of(client.get()), -ECONNRESET);
    EXPECT_EQ(end_of(peer.get()), -ECONNRESET);
}

TEST_F(EgressTest, ItIsSealed) {
    EgressProcess egress;
    EXPECT_NE(egress.look_up("allowed.example"), "");
    std::ifstream status("/proc/" + std::to_string(egress.pid()) + "/status");
    std::string text{std::istreambuf_iterator<char>(status), {}};
    EXPECT_NE(text.find("Seccomp:\t2"), std::string::npos);
    EXPECT_NE(text.find("NoNewPrivs:\t1"), std::string::npos);
    EXPECT_NE(text.find("CapEff:\t0000000000000000"), std::string::npos);
    struct stat what {};
    ASSERT_EQ(::stat(("/proc/" + std::to_string(egress.pid()) + "/mem").c_str(), &what), 0);
    EXPECT_EQ(what.st_uid, 0U) << "it is dumpable";
}

}  // namespace
}  // namespace reeve::test
