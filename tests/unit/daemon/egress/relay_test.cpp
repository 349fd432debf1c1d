#include "daemon/egress/relay.hpp"

#include <fcntl.h>

#include <cstring>
#include <optional>
#include <random>

#include "tests/unit/daemon/egress/network.hpp"

namespace reeve::egress {
namespace {

using namespace test;

std::string noise(std::size_t size) {
    std::mt19937_64 random(size);
    std::string bytes(size, '\0');
    for (std::size_t i = 0; i + 8 <= size; i += 8) {
        const std::uint64_t word = random();
        std::memcpy(bytes.data() + i, &word, sizeof word);
    }
    return bytes;
}

class RelayTest : public testing::Test {
  protected:
    ~RelayTest() override {
        loop_.on([this] { relay_.reset(); });
    }
    void begin(std::string first = {}, Budgets budgets = {0, 0}) {
        budgets_.emplace(budgets);
        TcpPair client = tcp_pair(), server = tcp_pair();
        client_ = std::move(client.far);
        server_ = std::move(server.far);
        loop_.on([&] {
            upload_.emplace(*budgets_, "a.example");
            Relay::Start start{.client = std::move(client.near),
                               .upstream = std::move(server.near),
                               .first = std::move(first)};
            relay_.emplace(loop_.loop(), pipes_, *upload_, std::move(start),
                           [this](const Relay::End& end) { end_ = end; });
            EXPECT_TRUE(relay_->start());
        });
    }
    Relay::End end() {
        EXPECT_TRUE(loop_.until([this] { return end_.has_value(); }));
        return end_.value_or(Relay::End{});
    }
    std::uint64_t up() {
        return loop_.on([this] { return relay_->up(); });
    }
    std::uint64_t down() {
        return loop_.on([this] { return relay_->down(); });
    }

    LoopThread loop_;
    Pipes pipes_;
    std::optional<Budgets> budgets_;
    std::optional<Upload> upload_;
    std::optional<Relay> relay_;
    std::optional<Relay::End> end_;
    platform::Fd client_, server_;
};

TEST_F(RelayTest, MovesBytesBothWaysExactly) {
    begin();
    const std::string up = noise(24 << 20), down = noise(17 << 20);
    std::thread client([&] { send_all(client_.get(), up); });
    std::thread server([&] { send_all(server_.get(), down); });
    auto came_up = std::async([&] { return receive(server_.get(), up.size()); });
    EXPECT_TRUE(receive(client_.get(), down.size()) == down);
    EXPECT_TRUE(came_up.get() == up);
    client.join();
    server.join();
    client_.reset();
    server_.reset();
    EXPECT_EQ(end().how, "closed");
    EXPECT_EQ(this->up(), up.size());
    EXPECT_EQ(this->down(), down.size());
    EXPECT_EQ(pipes_.lent(), 0U);
}

TEST_F(RelayTest, WhatWasReadBeforeGoesFirst) {
    begin("hello ");
    ASSERT_TRUE(send_all(client_.get(), "world"));
    EXPECT_EQ(receive(server_.get(), 11), "hello world");
}

TEST_F(RelayTest, PassesHalfClosesOn) {
    begin();
    ASSERT_TRUE(send_all(client_.get(), "question"));
    ::shutdown(client_.get(), SHUT_WR);
    EXPECT_EQ(receive(server_.get(), 100), "question");
    EXPECT_EQ(end_of(server_.get()), 0);
    ASSERT_TRUE(send_all(server_.get(), "answer"));
    EXPECT_EQ(receive(client_.get(), 6), "answer");
    server_.reset();
    EXPECT_EQ(end_of(client_.get()), 0);
    EXPECT_EQ(end().how, "closed");
}

TEST_F(RelayTest, AServerThatIsResetResetsTheClientAfterWhatItSaid) {
    begin();
    ASSERT_TRUE(send_all(server_.get(), "answer"));
    EXPECT_EQ(receive(client_.get(), 6), "answer");
    reset(server_);
    EXPECT_EQ(end_of(client_.get()), -ECONNRESET);
    EXPECT_EQ(end().how, "reset");
}

TEST_F(RelayTest, AClientThatIsResetResetsTheServer) {
    begin();
    ASSERT_TRUE(send_all(client_.get(), "question"));
    EXPECT_EQ(receive(server_.get(), 8), "question");
    reset(client_);
    EXPECT_EQ(end_of(server_.get()), -ECONNRESET);
    EXPECT_EQ(end().how, "reset");
}

// It has nothing more to say, so that nothing is read from it.
TEST_F(RelayTest, AResetIsSeenAfterAHalfClose) {
    begin();
    ASSERT_TRUE(send_all(client_.get(), "question"));
    ::shutdown(client_.get(), SHUT_WR);
    EXPECT_EQ(receive(server_.get(), 100), "question");
    reset(client_);
    EXPECT_EQ(end().how, "reset");
}

// Each takes what sockets and one pipe hold, and no more: memory stays.
TEST_F(RelayTest, ASlowReaderStopsTheSender) {
    begin();
    ::fcntl(client_.get(), F_SETFL, O_NONBLOCK);
    const std::string chunk = noise(1 << 20);
    std::size_t sent = 0;
    constexpr std::size_t kMost = 256 << 20;
    // Full when the loop has had its turns and there is still no room.
    for (int full = 0; full < 50 && sent < kMost;) {
        const ssize_t got =
            ::send(client_.get(), chunk.data(), chunk.size() - sent % chunk.size(), MSG_NOSIGNAL);
        full = got < 0 ? full + 1 : 0;
        if (got > 0) sent += static_cast<std::size_t>(got);
        loop_.on([] {});
    }
    EXPECT_LT(sent, std::size_t{64} << 20);
    std::size_t came = 0;
    while (came < sent) {
        const std::string got = receive(server_.get(), std::min<std::size_t>(chunk.size(), sent - came));
        ASSERT_EQ(got, chunk.substr(0, got.size()));
        ASSERT_FALSE(got.empty());
        came += got.size();
    }
    EXPECT_EQ(came, sent);
}

TEST_F(RelayTest, AnIdleOneHoldsNoPipe) {
    begin();
    ASSERT_TRUE(send_all(client_.get(), "x"));
    EXPECT_EQ(receive(server_.get(), 1), "x");
    EXPECT_TRUE(loop_.until([this] { return pipes_.lent() == 0; }));
    EXPECT_LE(pipes_.kept(), 2U);
}

TEST_F(RelayTest, WhatMayLeaveLeavesAndNoMore) {
    begin("abcd", {10, 0});
    ASSERT_TRUE(send_all(client_.get(), "efghij"));
    EXPECT_EQ(receive(server_.get(), 10), "abcdefghij");
    ASSERT_TRUE(send_all(client_.get(), "k"));
    EXPECT_EQ(end_of(server_.get()), -ECONNRESET);
    EXPECT_EQ(end().how, "budget");
    EXPECT_EQ(up(), 10U);
}

TEST_F(RelayTest, ABudgetThatIsExactlyUsedUpEndsInOrder) {
    begin({}, {0, 6});
    ASSERT_TRUE(send_all(client_.get(), "abcdef"));
    ::shutdown(client_.get(), SHUT_WR);
    EXPECT_EQ(receive(server_.get(), 10), "abcdef");
    server_.reset();
    EXPECT_EQ(end().how, "closed");
}

TEST(BudgetsTest, CountEachHostAndTheSession) {
    Budgets budgets(100, 150);
    budgets.take("a.example", 100);
    EXPECT_EQ(budgets.left("a.example"), 0U);
    EXPECT_EQ(budgets.left("b.example"), 50U);
    EXPECT_GT(Budgets(0, 0).left("a.example"), std::uint64_t{1} << 60);
}

}  // namespace
}  // namespace reeve::egress
