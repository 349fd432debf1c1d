// The stub behind real sockets of loopback.
#include "daemon/egress/dns_stub.hpp"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <algorithm>
#include <functional>
#include <thread>

#include "daemon/egress/dns_tcp.hpp"
#include "platform/fd.hpp"
#include "tests/unit/daemon/egress/support.hpp"

namespace reeve::egress {
namespace {

using platform::Fd;
using policy::Verdict;

sockaddr_in loopback() {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    return address;
}

Fd door(int type) {
    Fd socket(::socket(AF_INET, type | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
    const sockaddr_in address = loopback();
    EXPECT_EQ(::bind(socket.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address), 0);
    if (type == SOCK_STREAM) {
        EXPECT_EQ(::listen(socket.get(), 128), 0);
    }
    return socket;
}

// A client that waits, and not for ever.
Fd client_of(const Fd& door, int type) {
    sockaddr_in address{};
    socklen_t size = sizeof address;
    EXPECT_EQ(::getsockname(door.get(), reinterpret_cast<sockaddr*>(&address), &size), 0);
    Fd socket(::socket(AF_INET, type | SOCK_CLOEXEC, 0));
    const timeval most{.tv_sec = 20, .tv_usec = 0};
    ::setsockopt(socket.get(), SOL_SOCKET, SO_RCVTIMEO, &most, sizeof most);
    EXPECT_EQ(::connect(socket.get(), reinterpret_cast<const sockaddr*>(&address), size), 0);
    return socket;
}

void say(const Fd& socket, const std::string& bytes) {
    EXPECT_EQ(::send(socket.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL),
              static_cast<ssize_t>(bytes.size()));
}
std::string hear(const Fd& socket) {
    std::string bytes(4096, '\0');
    const auto size = ::recv(socket.get(), bytes.data(), bytes.size(), 0);
    bytes.resize(size < 0 ? 0 : static_cast<std::size_t>(size));
    return bytes;
}
std::string hear_exactly(const Fd& socket, std::size_t size) {
    std::string bytes(size, '\0');
    const auto got = ::recv(socket.get(), bytes.data(), size, MSG_WAITALL);
    bytes.resize(got < 0 ? 0 : static_cast<std::size_t>(got));
    return bytes;
}
std::string hear_message(const Fd& socket) {
    const std::string length = hear_exactly(socket, 2);
    if (length.size() != 2) return "the end";
    return hear_exactly(socket, static_cast<std::size_t>(static_cast<unsigned char>(length[0])) << 8 |
                                    static_cast<unsigned char>(length[1]));
}
std::string framed(const std::string& message) {
    return two(static_cast<unsigned>(message.size())) + message;
}

// Answers by the loop, at its next turn.
struct LoopResolver : Resolver {
    explicit LoopResolver(platform::EventLoop& runs) : loop(runs) {}
    void resolve(const std::string&, std::function<void(const Addresses&)> done) override {
        loop.post([done = std::move(done)] {
            done({Addresses::State::found, {address("192.88.98.7")}, {}, ""});
        });
    }
    platform::EventLoop& loop;
};

struct DnsStubTest : testing::Test {
    std::unique_ptr<platform::EventLoop> loop = platform::EventLoop::create().value();
    policy::NetworkPolicy policy = policy_of({{Verdict::allow, {"api.example"}}});
    Names names;
    LoopResolver resolver{*loop};
    NameBudget budget{policy};
    std::vector<Report> reported;
    Fd udp = door(SOCK_DGRAM), tcp = door(SOCK_STREAM);

    std::unique_ptr<DnsStub> stub() {
        return DnsStub::create({.udp4 = udp.get(), .tcp4 = tcp.get()},
                               {.loop = *loop,
                                .policy = policy,
                                .names = names,
                                .resolver = resolver,
                                .budget = budget,
                                .report = [this](Report report) { reported.push_back(std::move(report)); }})
            .value();
    }
    // The loop here, the client beside it.
    void run(const std::function<void()>& client) const {
        std::thread beside([&] {
            client();
            loop->stop();
        });
        EXPECT_TRUE(loop->run());
        beside.join();
    }
    static std::string answer_to(const std::string& query) {
        return encode_dns_answer(parse_dns_query(query).value(),
                                 {ResponseCode::no_error, {address("198.18.0.2")}, "", 60}, 512);
    }
};

TEST_F(DnsStubTest, AnswersByUdp) {
    const auto running = stub();
    run([&] {
        const Fd client = client_of(udp, SOCK_DGRAM);
        const std::string query = dns_query("Api.example", kA, 7);
        say(client, query);
        EXPECT_EQ(hear(client), answer_to(query));
        // Nothing is said to what is no query, so that the next that is heard is the next query's.
        say(client, answer_to(query));
        say(client, "x");
        const std::string next = dns_query("api.example", kA, 8);
        say(client, next);
        EXPECT_EQ(hear(client), answer_to(next));
        say(client, dns_header(9, kAsked, 0));
        EXPECT_EQ(hear(client), dns_header(9, 0x8181, 0));
    });
    running->flush();
    ASSERT_EQ(reported.size(), 1U);
    EXPECT_EQ(reported[0].host, "api.example");
    EXPECT_EQ(reported[0].count, 2U);
}

TEST_F(DnsStubTest, AnswersByTcpWhateverTheSegments) {
    const auto running = stub();
    run([&] {
        const Fd client = client_of(tcp, SOCK_STREAM);
        const std::string query = dns_query("api.example", kA, 7);
        for (const char byte : framed(query)) say(client, std::string(1, byte));
        EXPECT_EQ(hear_message(client), answer_to(query));
        std::string many;
        for (unsigned id = 0; id < 200; ++id) many += framed(dns_query("api.example", kA, id));
        say(client, many);
        ::shutdown(client.get(), SHUT_WR);
        std::vector<bool> seen(200);
        for (int i = 0; i < 200; ++i) {
            const std::string message = hear_message(client);
            ASSERT_GT(message.size(), 12U);
            seen.at(static_cast<unsigned char>(message[1])) = true;
        }
        EXPECT_EQ(std::count(seen.begin(), seen.end(), true), 200);
        EXPECT_EQ(hear_message(client), "the end");
    });
}

TEST_F(DnsStubTest, AConnectionThatSaysNoQueryEnds) {
    const auto running = stub();
    run([&] {
        const Fd client = client_of(tcp, SOCK_STREAM);
        say(client, framed(dns_header(9, kAsked, 0)));
        EXPECT_EQ(hear_message(client), dns_header(9, 0x8181, 0));
        say(client, framed(answer_to(dns_query("api.example", kA))));
        EXPECT_EQ(hear_message(client), "the end");
    });
}

TEST_F(DnsStubTest, ConnectionsAreBounded) {
    const auto running = stub();
    run([&] {
        const std::string query = dns_query("api.example", kA, 7);
        std::vector<Fd> clients;
        for (int i = 0; i < 64; ++i) clients.push_back(client_of(tcp, SOCK_STREAM));
        say(clients.back(), framed(query));
        EXPECT_EQ(hear_message(clients.back()), answer_to(query));
        EXPECT_EQ(hear_message(client_of(tcp, SOCK_STREAM)), "the end");
        say(clients.front(), framed(query));
        EXPECT_EQ(hear_message(clients.front()), answer_to(query));
    });
}

TEST_F(DnsStubTest, AClientThatDawdlesIsLeft) {
    LookupReports reports(*loop, [](const Report&) {});
    Lookups lookups({policy, names, resolver, budget, reports, monotonic_ns});
    DnsTcp server(*loop, lookups, std::chrono::milliseconds(20));
    ASSERT_TRUE(server.open(tcp.get()));
    run([&] {
        const Fd client = client_of(tcp, SOCK_STREAM);
        say(client, framed(dns_query("api.example", kA)).substr(0, 5));
        EXPECT_EQ(hear_message(client), "the end");
    });
}

}  // namespace
}  // namespace reeve::egress
