#include <netinet/in.h>
#include <netinet/tcp.h>

#include "daemon/egress/name_text.hpp"
#include "daemon/egress/no_decider.hpp"
#include "platform/linux/seqpacket.hpp"
#include "tests/unit/daemon/egress/scene.hpp"

namespace reeve::egress {
namespace {

using namespace test;
using policy::Verdict;

class ConnectionTest : public EgressScene {
  protected:
    // Says it, and gives what comes out at the server.
    platform::Fd served(const std::string& said) {
        platform::Fd peer = server_.accept();
        EXPECT_TRUE(peer) << "nobody came";
        if (peer) {
            EXPECT_EQ(receive(peer.get(), said.size()), said);
        }
        return peer;
    }
    void is_refused(const platform::Fd& client, std::string_view said) {
        send_all(client.get(), said);
        EXPECT_EQ(end_of(client.get()), -ECONNRESET);
    }
    // A connection that was dialled at once may have come; of what the client said nothing has.
    void nothing_was_said() {
        while (server_.somebody_waits()) {
            const platform::Fd peer = server_.accept();
            EXPECT_LE(end_of(peer.get()), 0);
        }
    }
};

TEST_F(ConnectionTest, TlsForTheNameGoesThrough) {
    begin();
    const auto client = connect("allowed.example", server_.port());
    const std::string hello = client_hello("Allowed.Example");
    ASSERT_TRUE(send_all(client.get(), hello));
    auto peer = served(hello);
    ASSERT_TRUE(send_all(peer.get(), "server hello"));
    EXPECT_EQ(receive(client.get(), 12), "server hello");
    ::shutdown(client.get(), SHUT_WR);
    EXPECT_EQ(end_of(peer.get()), 0);
    peer.reset();
    const Report got = report();
    EXPECT_EQ(got.outcome, Outcome::allowed);
    EXPECT_EQ(got.verdict, Verdict::allow);
    EXPECT_EQ(got.rule, "allow-allowed.example");
    EXPECT_EQ(got.host, "allowed.example");
    EXPECT_EQ(got.port, server_.port());
    EXPECT_EQ(got.address, "127.0.0.1");
    EXPECT_EQ(got.protocol, "tls");
    EXPECT_EQ(got.sni, "Allowed.Example");
    EXPECT_EQ(got.alpn, "h2");
    EXPECT_EQ(got.bytes_up, hello.size());
    EXPECT_EQ(got.bytes_down, 12U);
    EXPECT_EQ(got.ended, "closed");
    EXPECT_NE(got.monotonic_ns, 0U);
}

TEST_F(ConnectionTest, AHelloMayComeByteByByte) {
    begin();
    const auto client = connect("allowed.example", server_.port());
    const std::string hello = client_hello("allowed.example");
    const int yes = 1;
    ::setsockopt(client.get(), IPPROTO_TCP, TCP_NODELAY, &yes, sizeof yes);
    for (const char byte : hello) {
        ASSERT_TRUE(send_all(client.get(), {&byte, 1}));
        loop_.on([] {});
    }
    EXPECT_TRUE(served(hello));
}

TEST_F(ConnectionTest, WhatDoesNotNameTheHostDoesNotGoOut) {
    begin();
    const std::pair<std::string, std::string> said[] = {
        {client_hello("evil.example"), "the TLS server name is evil.example and not allowed.example"},
        {client_hello(""), "TLS names no server, so that nothing says that it is for allowed.example"},
        {"SSH-2.0-OpenSSH_9.2\r\n",
         "it is neither TLS nor HTTP/1.1, so that nothing says that it is for allowed.example"}};
    std::size_t count = 0;
    for (const auto& [bytes, reason] : said) {
        const auto client = connect("allowed.example", server_.port());
        is_refused(client, bytes);
        const Report got = report(++count);
        EXPECT_EQ(got.outcome, Outcome::denied);
        EXPECT_EQ(got.verdict, Verdict::allow);
        EXPECT_EQ(got.ended, "mismatch");
        EXPECT_EQ(got.reason, reason);
        EXPECT_EQ(got.bytes_up, 0U);
        nothing_was_said();
    }
}

TEST_F(ConnectionTest, EachRequestIsHeldAgainstTheName) {
    begin();
    const auto client = connect("allowed.example", server_.port());
    const std::string host = "allowed.example:" + std::to_string(server_.port());
    const std::string first = "GET / HTTP/1.1\r\nHost: " + host + "\r\n\r\n";
    ASSERT_TRUE(send_all(client.get(), first));
    const auto peer = served(first);
    ASSERT_TRUE(send_all(peer.get(), "HTTP/1.1 204 No\r\n\r\n"));
    EXPECT_EQ(receive(client.get(), 19), "HTTP/1.1 204 No\r\n\r\n");
    is_refused(client, "GET / HTTP/1.1\r\nHost: evil.example\r\n\r\n");
    EXPECT_EQ(end_of(peer.get()), -ECONNRESET);
    const Report got = report();
    EXPECT_EQ(got.outcome, Outcome::denied);
    EXPECT_EQ(got.protocol, "http");
    EXPECT_EQ(got.ended, "mismatch");
    EXPECT_EQ(got.bytes_up, first.size());
}

TEST_F(ConnectionTest, ARequestForAnotherHostDoesNotGoOut) {
    begin();
    is_refused(connect("allowed.example", server_.port()), "GET / HTTP/1.1\r\nHost: evil.example\r\n\r\n");
    EXPECT_EQ(report().ended, "mismatch");
    nothing_was_said();
}

TEST_F(ConnectionTest, WherePolicyAsksForTlsAnyNameWillDo) {
    begin();
    const auto client = connect("tls.example", server_.port());
    const std::string hello = client_hello("other.example");
    ASSERT_TRUE(send_all(client.get(), hello));
    EXPECT_TRUE(served(hello));
    is_refused(connect("tls.example", server_.port()), "GET / HTTP/1.1\r\nHost: tls.example\r\n\r\n");
    EXPECT_EQ(report().reason, "it is HTTP where policy asks for TLS");
}

TEST_F(ConnectionTest, WherePolicyAsksForTheAddressTheServerMaySpeakFirst) {
    begin();
    const auto client = connect("any.example", server_.port());
    const auto peer = server_.accept();
    ASSERT_TRUE(send_all(peer.get(), "220 ready\r\n"));
    EXPECT_EQ(receive(client.get(), 11), "220 ready\r\n");
    ASSERT_TRUE(send_all(client.get(), "EHLO"));
    EXPECT_EQ(receive(peer.get(), 4), "EHLO");
}

TEST_F(ConnectionTest, DeniedIsResetAtOnceAndNotResolved) {
    begin();
    EXPECT_EQ(end_of(connect("denied.example", server_.port()).get()), -ECONNRESET);
    const Report got = report();
    EXPECT_EQ(got.outcome, Outcome::denied);
    EXPECT_EQ(got.verdict, Verdict::deny);
    EXPECT_TRUE(got.by_rule);
    EXPECT_EQ(got.reason, "because of deny-denied.example");
    EXPECT_EQ(got.ended, "");
    EXPECT_TRUE(resolver_.asked.empty());
}

TEST_F(ConnectionTest, ASyntheticAddressWithoutANameIsRefused) {
    begin();
    EXPECT_EQ(end_of(connect("198.18.77.77", 443).get()), -ECONNRESET);
    EXPECT_EQ(report().host, "198.18.77.77");
    EXPECT_EQ(report().reason, "no name was ever given this address: names are asked for first");
}

TEST_F(ConnectionTest, ALiteralIsJudgedAsAnAddress) {
    rules_.push_back(rule(Verdict::allow, {}));
    begin();
    const auto client = connect("127.0.0.1", server_.port());
    const std::string hello = client_hello("");
    ASSERT_TRUE(send_all(client.get(), hello));
    EXPECT_TRUE(served(hello));
    is_refused(connect("127.0.0.1", server_.port()), client_hello("evil.example"));
    EXPECT_EQ(report().reason, "the TLS server name is evil.example and not 127.0.0.1");
    EXPECT_EQ(end_of(connect("10.1.2.3", 443).get()), -ECONNRESET);
    EXPECT_EQ(report(2).host, "10.1.2.3");
    EXPECT_EQ(report(2).reason, "no rule allows it");
}

TEST_F(ConnectionTest, NothingToDialIsResetAndSaid) {
    resolver_.answers["allowed.example"] = {.state = Addresses::State::no_such_name};
    begin();
    EXPECT_EQ(end_of(connect("allowed.example", 443).get()), -ECONNRESET);
    EXPECT_EQ(report().outcome, Outcome::failed);
    EXPECT_EQ(report().reason, "there is no such name");
}

TEST_F(ConnectionTest, ANameThatLeadsInsideIsDenied) {
    rules_ = {rule(Verdict::allow, {"**"}, policy::Verify::name, false)};
    begin();
    EXPECT_EQ(end_of(connect("allowed.example", server_.port()).get()), -ECONNRESET);
    EXPECT_EQ(report().outcome, Outcome::denied);
    EXPECT_EQ(report().verdict, Verdict::deny);
    EXPECT_EQ(report().reason, "127.0.0.1: no rule allows it");
    EXPECT_EQ(report().address, "127.0.0.1");
    EXPECT_FALSE(server_.somebody_waits());
}

TEST_F(ConnectionTest, AnAskWaitsWithItsBytesUnsent) {
    begin();
    const auto client = connect("www.asked.example", server_.port());
    const std::string hello = client_hello("www.asked.example");
    ASSERT_TRUE(send_all(client.get(), hello));
    ASSERT_TRUE(loop_.until([&] { return decider_.questions.size() == 1; }));
    EXPECT_EQ(decider_.questions[0].host, "www.asked.example");
    EXPECT_EQ(decider_.questions[0].domain, "asked.example");
    EXPECT_TRUE(resolver_.asked.empty());
    loop_.on([&] { decider_.answer({.allow = true}); });
    EXPECT_TRUE(served(hello));
}

TEST_F(ConnectionTest, ANoIsGivenWithItsReason) {
    begin();
    const auto client = connect("www.asked.example", server_.port());
    loop_.on([&] { decider_.answer({.allow = false, .reason = "Ann said no"}); });
    EXPECT_EQ(end_of(client.get()), -ECONNRESET);
    EXPECT_EQ(report().outcome, Outcome::denied);
    EXPECT_EQ(report().verdict, Verdict::ask);
    EXPECT_EQ(report().reason, "Ann said no");
}

TEST_F(ConnectionTest, NobodyAnswers) {
    ask_timeout_ = std::chrono::milliseconds(10);
    begin();
    EXPECT_EQ(end_of(connect("www.asked.example", server_.port()).get()), -ECONNRESET);
    EXPECT_EQ(report().reason, "nobody answered in time");
    EXPECT_EQ(decider_.cancelled, 1U);
}

TEST_F(ConnectionTest, AClientThatIsGoneIsNotAskedAbout) {
    begin();
    auto client = connect("www.asked.example", server_.port());
    reset(client);
    EXPECT_EQ(report().reason, "the client was gone before there was an answer");
    EXPECT_EQ(decider_.cancelled, 1U);
    client = connect("www.asked.example", server_.port());
    loop_.on([&] { inode_ = platform::os_error("look up a socket", "", ENOENT); });
    client.reset();
    EXPECT_EQ(report(2).reason, "the client was gone before there was an answer");
    EXPECT_EQ(decider_.cancelled, 2U);
}

TEST_F(ConnectionTest, AClientThatOnlyClosedItsSendingSideIsThere) {
    begin();
    const auto client = connect("www.asked.example", server_.port());
    const std::string hello = client_hello("www.asked.example");
    ASSERT_TRUE(send_all(client.get(), hello));
    ::shutdown(client.get(), SHUT_WR);
    loop_.on([] {});
    loop_.on([&] { decider_.answer({.allow = true}); });
    EXPECT_TRUE(served(hello));
}

TEST_F(ConnectionTest, AGrantCoversWhatItsScopeSays) {
    struct Case {
        Scope scope;
        bool other_port, other_host;
    };
    for (const Case& c : {Case{Scope::host_and_port, false, false}, Case{Scope::host, true, false},
                          Case{Scope::domain, true, true}}) {
        Grants grants;
        const std::string domain = registrable_domain("www.asked.example");
        grants.add({.host = "www.asked.example", .port = 443, .domain = domain}, c.scope);
        EXPECT_TRUE(grants.covers("www.asked.example", 443));
        EXPECT_EQ(grants.covers("www.asked.example", 80), c.other_port);
        EXPECT_EQ(grants.covers("mail.asked.example", 443), c.other_host);
        EXPECT_FALSE(grants.covers("asked.example.evil.example", 443));
    }
    EXPECT_EQ(registrable_domain("a.b.co.uk"), "b.co.uk");
    EXPECT_EQ(registrable_domain("co.uk"), "");
    EXPECT_EQ(registrable_domain("me.github.io"), "me.github.io");
    EXPECT_EQ(registrable_domain("192.0.2.1"), "");
    Grants grants;
    grants.add({.host = "co.uk", .port = 443}, Scope::domain);
    EXPECT_FALSE(grants.covers("bank.co.uk", 443));
}

TEST_F(ConnectionTest, AGrantAnswersThoseThatWaitAndThoseThatCome) {
    begin();
    const auto first = connect("www.asked.example", server_.port());
    const auto second = connect("mail.asked.example", server_.port());
    loop_.on([&] { decider_.answer({.allow = true, .scope = Scope::domain}); });
    EXPECT_TRUE(loop_.until([&] { return decider_.waiting.empty(); }));
    const auto third = connect("asked.example", server_.port());
    EXPECT_EQ(loop_.on([&] { return decider_.questions.size(); }), 2U);
    EXPECT_EQ(loop_.on([&] { return resolver_.asked.size(); }), 3U);
}

TEST_F(ConnectionTest, TheDeciderThatIsThereSaysWhyNot) {
    LoopThread loop;
    std::vector<std::string> reasons;
    NoDecider decider(loop.loop());
    loop.on([&] {
        const auto answered = [&](const Answer& answer) {
            EXPECT_FALSE(answer.allow);
            reasons.push_back(answer.reason);
        };
        decider.ask({.host = "a.example", .reason = "not on the list"}, answered);
        decider.cancel(decider.ask({.host = "b.example"}, answered));
        EXPECT_TRUE(reasons.empty());
    });
    ASSERT_TRUE(loop.until([&] { return !reasons.empty(); }));
    loop.on([] {});
    EXPECT_EQ(reasons, std::vector<std::string>{"asks are not available yet: not on the list"});
}

TEST_F(ConnectionTest, WhoItWas) {
    begin();
    inode_ = 4711;
    ASSERT_TRUE(platform::send_packet(keeper_.get(),
                                      Connecting{.inode = 12, .pid = 1, .exe = "/bin/other"}.encode()));
    ASSERT_TRUE(platform::send_packet(
        keeper_.get(),
        Connecting{.inode = 4711, .pid = 1234, .start_ns = 99, .exe = "/usr/bin/curl"}.encode()));
    (void)connect("denied.example", 443);
    EXPECT_EQ(report().pid, 1234);
    EXPECT_EQ(report().start_ns, 99U);
    EXPECT_EQ(report().exe, "/usr/bin/curl");
    inode_ = 4712;
    (void)connect("denied.example", 443);
    EXPECT_EQ(report(2).pid, 0);
}

TEST_F(ConnectionTest, SilenceHasAnEnd) {
    limits_.deadline = std::chrono::milliseconds(20);
    begin();
    EXPECT_EQ(end_of(connect("allowed.example", server_.port()).get()), -ECONNRESET);
    EXPECT_EQ(report().outcome, Outcome::failed);
    EXPECT_EQ(report().ended, "timeout");
}

TEST_F(ConnectionTest, TheOldestSilentOneMakesRoom) {
    most_ = 3;
    begin();
    std::vector<platform::Fd> clients;
    for (int i = 0; i < 5; ++i) clients.push_back(connect("allowed.example", server_.port()));
    EXPECT_EQ(end_of(clients[0].get()), -ECONNRESET);
    EXPECT_EQ(end_of(clients[1].get()), -ECONNRESET);
    EXPECT_EQ(report(2).reason, "newer connections took its place");
    const std::string hello = client_hello("allowed.example");
    ASSERT_TRUE(send_all(clients[4].get(), hello));
    EXPECT_EQ(loop_.on([&] { return acceptor_->size(); }), 3U);
}

TEST_F(ConnectionTest, WhereAllAreBusyTheNewOneIsRefused) {
    most_ = 1;
    begin();
    const auto busy = connect("any.example", server_.port());
    const auto peer = server_.accept();
    EXPECT_EQ(end_of(connect("allowed.example", server_.port()).get()), -ECONNRESET);
    EXPECT_EQ(report().reason, "the session has too many connections");
}

TEST_F(ConnectionTest, TooMuchThatWaitsMakesRoom) {
    limits_.bytes = 64 * 1024;
    begin();
    const auto first = connect("allowed.example", server_.port());
    ASSERT_TRUE(send_all(first.get(), client_hello("allowed.example").substr(0, 20)));
    ASSERT_TRUE(loop_.until([&] { return unspoken_->size() == 1; }));
    std::vector<platform::Fd> others;
    for (int i = 0; i < 4; ++i) {
        others.push_back(connect("allowed.example", server_.port()));
        ASSERT_TRUE(send_all(others.back().get(), client_hello("allowed.example").substr(0, 20)));
    }
    EXPECT_EQ(end_of(first.get()), -ECONNRESET);
    EXPECT_EQ(report().reason, "too much is waiting to be looked at");
}

TEST_F(ConnectionTest, WhatMayNotBeRecordedIsNotTaken) {
    begin();
    loop_.on([&] { acceptor_->off(); });
    const auto waits = connect_to(door_);
    loop_.on([] {});
    EXPECT_EQ(loop_.on([&] { return acceptor_->taken(); }), 0U);
    loop_.on([&] { return acceptor_->on().has_value(); });
    EXPECT_TRUE(loop_.until([&] { return acceptor_->taken() == 1; }));
}

TEST_F(ConnectionTest, TheSessionsEndEndsThemAll) {
    begin();
    const auto relayed = connect("any.example", server_.port());
    const auto peer = server_.accept();
    const auto silent = connect("allowed.example", server_.port());
    const auto asking = connect("www.asked.example", server_.port());
    loop_.on([&] { acceptor_->end(); });
    for (const auto* client : {&relayed, &silent, &asking}) EXPECT_EQ(end_of(client->get()), -ECONNRESET);
    EXPECT_EQ(end_of(peer.get()), -ECONNRESET);
    EXPECT_EQ(report(3).ended, "session end");
    EXPECT_TRUE(loop_.until([&] { return acceptor_->size() == 0; }));
}

TEST_F(ConnectionTest, ServerThatIsKilledResetsTheClient) {
    begin();
    const auto client = connect("any.example", server_.port());
    auto peer = server_.accept();
    ASSERT_TRUE(send_all(peer.get(), "x"));
    EXPECT_EQ(receive(client.get(), 1), "x");
    reset(peer);
    EXPECT_EQ(end_of(client.get()), -ECONNRESET);
    EXPECT_EQ(report().ended, "reset");
    EXPECT_EQ(report().outcome, Outcome::allowed);
}

}  // namespace
}  // namespace reeve::egress
