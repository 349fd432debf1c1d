// c-ares against a small name server of loopback, both on one loop.
#include "daemon/egress/ares_resolver.hpp"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/epoll.h>
#include <sys/socket.h>

#include <filesystem>
#include <fstream>
#include <set>

#include "daemon/egress/address_text.hpp"
#include "platform/fd.hpp"
#include "tests/unit/daemon/egress/support.hpp"

namespace reeve::egress {
namespace {

class Server {
  public:
    explicit Server(platform::EventLoop& loop)
        : loop_(loop), socket_(::socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0)) {
        sockaddr_in address{};
        address.sin_family = AF_INET;
        address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        EXPECT_EQ(::bind(socket_.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address), 0);
        EXPECT_TRUE(loop.watch(socket_.get(), EPOLLIN, [this](std::uint32_t) { answer_one(); }));
    }
    Server(const Server&) = delete;
    Server& operator=(const Server&) = delete;
    ~Server() { loop_.forget(socket_.get()); }
    std::string at() const {
        sockaddr_in address{};
        socklen_t size = sizeof address;
        ::getsockname(socket_.get(), reinterpret_cast<sockaddr*>(&address), &size);
        return "127.0.0.1:" + std::to_string(ntohs(address.sin_port));
    }
    std::map<std::string, DnsAnswer> answers;  // by "name TYPE"; others: NXDOMAIN
    bool silent = false;
    std::multiset<std::string> asked;

  private:
    void answer_one() {
        std::array<char, 4096> buffer;
        sockaddr_in from{};
        socklen_t size = sizeof from;
        const auto got = ::recvfrom(socket_.get(), buffer.data(), buffer.size(), 0,
                                    reinterpret_cast<sockaddr*>(&from), &size);
        if (got < 0) return;
        const auto question = parse_dns_query({buffer.data(), static_cast<std::size_t>(got)});
        ASSERT_TRUE(question);
        const std::string key = question->name + " " + type_name(question->type);
        asked.insert(key);
        if (silent) return;
        const auto found = answers.find(key);
        const DnsAnswer none{ResponseCode::no_such_name, {}, "", 0};
        const std::string reply =
            encode_dns_answer(*question, found == answers.end() ? none : found->second, 512);
        ::sendto(socket_.get(), reply.data(), reply.size(), 0, reinterpret_cast<const sockaddr*>(&from),
                 size);
    }
    platform::EventLoop& loop_;
    platform::Fd socket_;
};

struct AresResolverTest : testing::Test {
    std::unique_ptr<platform::EventLoop> loop = platform::EventLoop::create().value();
    Server server{*loop};
    std::uint64_t now = 1'000'000'000;
    std::filesystem::path config = testing::TempDir() + "/ares-" + std::to_string(::getpid()) + ".conf";
    std::unique_ptr<AresResolver> resolver;

    AresResolverTest() {
        std::ofstream(config) << "search elsewhere.example\n";
        server.answers["a.example A"] = {ResponseCode::no_error, {address("192.88.98.7")}, "", 30};
        server.answers["a.example AAAA"] = {ResponseCode::no_error, {address("2606:4700::1")}, "", 30};
        server.answers["four.example A"] = {ResponseCode::no_error, {address("192.88.98.7")}, "", 3600};
        server.answers["four.example AAAA"] = {};
        server.answers["none.example A"] = server.answers["none.example AAAA"] = {};
        server.answers["now.example A"] =
            server.answers["now.example AAAA"] = {ResponseCode::no_error, {address("192.88.98.8")}, "", 0};
        server.answers["now.example AAAA"] = {};
        for (const char* key : {"broken.example A", "broken.example AAAA"})
            server.answers[key] = {ResponseCode::server_failure, {}, "", 0};
        resolver = make();
    }
    ~AresResolverTest() override { std::filesystem::remove(config); }

    std::unique_ptr<AresResolver> make() {
        AresResolver::Options options;
        options.servers = server.at();
        options.config = config;
        options.use_hosts = false;
        options.timeout_ms = 250;  // the least that c-ares takes
        options.tries = 1;
        options.now_ns = [this] { return now; };
        return AresResolver::create(*loop, options).value();
    }
    static std::string show(const Addresses& found) {
        std::string text = found.state == Addresses::State::found          ? "found"
                           : found.state == Addresses::State::no_such_name ? "no such name"
                                                                           : "failed";
        for (const auto& one : found.four) text += " " + to_text(one);
        for (const auto& one : found.six) text += " " + to_text(one);
        EXPECT_EQ(found.why.empty(), found.state != Addresses::State::failed);
        return text;
    }
    // Asks at once, and goes on when all are answered.
    struct Step {
        std::vector<std::string> names, answers;
        std::function<void()> then = [] {};
    };
    void run(std::vector<Step> wanted) {
        steps = std::move(wanted);
        next();
        EXPECT_TRUE(loop->run());
        EXPECT_TRUE(steps.empty());
    }
    void next() {
        if (steps.empty()) return loop->stop();
        said.clear();
        for (const auto& name : steps.front().names)
            resolver->resolve(name, [this](const Addresses& found) { take(found); });
        EXPECT_TRUE(said.empty()) << "it was answered from within";
    }
    void take(const Addresses& found) {
        said.push_back(show(found));
        if (said.size() < steps.front().names.size()) return;
        EXPECT_EQ(said, steps.front().answers);
        steps.front().then();
        steps.erase(steps.begin());
        loop->post([this] { next(); });
    }
    std::vector<Step> steps;
    std::vector<std::string> said;
    std::size_t times(const std::string& key) const { return server.asked.count(key); }
};

const std::string kBoth = "found 192.88.98.7 2606:4700::1";

TEST_F(AresResolverTest, AsksForBothFamiliesAndForNoOtherName) {
    run({{{"a.example"}, {kBoth}},
         {{"four.example"}, {"found 192.88.98.7"}},
         {{"none.example"}, {"found"}},
         {{"nowhere.example"}, {"no such name"}},
         {{"single"}, {"no such name"}},
         {{"broken.example"}, {"failed"}}});
    for (const auto& key : server.asked) EXPECT_EQ(key.find("elsewhere"), std::string::npos) << key;
    EXPECT_EQ(times("a.example A"), 1U);
    EXPECT_EQ(times("a.example AAAA"), 1U);
}

TEST_F(AresResolverTest, EqualQuestionsAreOne) {
    run({{{"now.example", "now.example", "now.example"}, std::vector<std::string>(3, "found 192.88.98.8")}});
    EXPECT_EQ(times("now.example A"), 1U);
}

TEST_F(AresResolverTest, AnswersAreKeptForTheirTimeAndAMinuteAtMost) {
    const auto later = [this](std::uint64_t seconds) {
        return [this, seconds] { now += seconds * 1'000'000'000; };
    };
    run({{{"a.example"}, {kBoth}, later(29)},
         {{"a.example"}, {kBoth}, later(1)},
         {{"a.example"}, {kBoth}},
         {{"four.example"}, {"found 192.88.98.7"}, later(59)},
         {{"four.example"}, {"found 192.88.98.7"}, later(1)},
         {{"four.example"}, {"found 192.88.98.7"}},
         {{"now.example"}, {"found 192.88.98.8"}},
         {{"now.example"}, {"found 192.88.98.8"}}});
    EXPECT_EQ(times("a.example A"), 2U);
    EXPECT_EQ(times("four.example A"), 2U);
    EXPECT_EQ(times("now.example A"), 2U);
}

TEST_F(AresResolverTest, AChangedConfigurationIsReadAgain) {
    const auto change = [this] {
        std::filesystem::rename(config, config.string() + ".old");
        std::ofstream(config) << "nameserver 192.0.2.1\n";
        std::filesystem::remove(config.string() + ".old");
    };
    run({{{"a.example"}, {kBoth}, change}, {{"a.example"}, {kBoth}}, {{"a.example"}, {kBoth}}});
    EXPECT_EQ(times("a.example A"), 2U);
}

TEST_F(AresResolverTest, NobodyThereIsAFailure) {
    server.silent = true;
    run({{{"a.example"}, {"failed"}}});
    EXPECT_GE(times("a.example A"), 1U);
}

TEST_F(AresResolverTest, NobodyIsAnsweredAfterItsEnd) {
    server.silent = true;
    bool answered = false;
    resolver->resolve("a.example", [&](const Addresses&) { answered = true; });
    resolver.reset();
    loop->stop();
    ASSERT_TRUE(loop->run());
    EXPECT_FALSE(answered);
}

}  // namespace
}  // namespace reeve::egress
