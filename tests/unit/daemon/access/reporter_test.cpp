// The reporter: exact counts in order, whatever the number of threads, and nothing taken that cannot be told.
#include "daemon/access/reporter.hpp"

#include <gtest/gtest.h>
#include <sys/socket.h>

#include <atomic>
#include <future>
#include <string>
#include <unordered_map>

#include "platform/linux/seqpacket.hpp"

namespace reeve::access {
namespace {

using namespace std::chrono_literals;

struct Told {
    std::vector<std::string> paths;  // in order
    std::unordered_map<std::string, std::uint64_t> counts;
    std::uint64_t sum = 0, packets = 0;
    bool all = false;  // it ended with kNoMore
};

// Reads until the other end is closed, or for so many packets.
Told read_all(int socket, std::uint64_t most = UINT64_MAX) {
    Told told;
    while (told.packets < most) {
        const auto packet = platform::receive_packet(socket);
        if (!packet || packet->end) break;
        EXPECT_FALSE(told.all);
        told.all = packet->bytes == kNoMore;
        if (told.all) continue;
        ++told.packets;
        const auto reports = parse_reports(packet->bytes);
        EXPECT_TRUE(reports);
        if (!reports) break;
        for (const Report& report : *reports) {
            told.paths.emplace_back(report.path);
            told.counts[told.paths.back()] += report.count;
            told.sum += report.count;
            EXPECT_NE(report.monotonic_ns, 0U);
        }
    }
    return told;
}

struct Ends {
    platform::Fd keeper, reeved;
};
Ends ends() {
    auto pair = platform::seqpacket_pair();
    EXPECT_TRUE(pair);
    return {std::move(pair->theirs), std::move(pair->ours)};
}

// A window that no test waits for.
constexpr ReporterOptions kLong{.window = 1h, .packets = 8};

TEST(Reporter, EqualReportsAreOneWithACount) {
    auto [keeper, reeved] = ends();
    {
        Reporter reporter(std::move(keeper), kLong);
        for (int i = 0; i < 10; ++i) {
            EXPECT_TRUE(reporter.add({.pid = 1, .path = "/a"}));
            EXPECT_TRUE(reporter.add({.pid = 1, .count = 2, .path = "/b"}));
        }
        EXPECT_TRUE(reporter.finish());
        EXPECT_FALSE(reporter.add({.pid = 1, .path = "/late"}));
    }
    const Told told = read_all(reeved.get());
    EXPECT_TRUE(told.all);
    EXPECT_EQ(told.packets, 1U);
    EXPECT_EQ(told.paths, (std::vector<std::string>{"/a", "/b"}));
    EXPECT_EQ(told.counts.at("/a"), 10U);
    EXPECT_EQ(told.counts.at("/b"), 20U);
}

TEST(Reporter, SendsWhenTheWindowIsOver) {
    auto [keeper, reeved] = ends();
    Reporter reporter(std::move(keeper), {.window = 20ms});
    for (const char* path : {"/first", "/second"}) {
        const auto before = std::chrono::steady_clock::now();
        ASSERT_TRUE(reporter.add({.pid = 1, .path = path}));
        const Told told = read_all(reeved.get(), 1);
        EXPECT_GE(std::chrono::steady_clock::now() - before, 20ms);
        EXPECT_EQ(told.paths, std::vector<std::string>{path});
    }
}

TEST(Reporter, SendsAFullPacketAtOnce) {
    auto [keeper, reeved] = ends();
    Reporter reporter(std::move(keeper), kLong);
    for (int i = 0; i < 1000; ++i)
        ASSERT_TRUE(reporter.add({.pid = 1, .path = "/some/path/of/a/file/" + std::to_string(i)}));
    EXPECT_GT(read_all(reeved.get(), 1).sum, 500U);
}

TEST(Reporter, CountsOfManyThreadsAreExactAndEachOnesOrderIsKept) {
    constexpr int kThreads = 4, kAdds = 50'000, kPaths = 3000;
    auto [keeper, reeved] = ends();
    auto told = std::async(std::launch::async, [&] { return read_all(reeved.get()); });
    {
        Reporter reporter(std::move(keeper), {.window = 1ms});
        std::vector<std::thread> threads;
        for (int t = 0; t < kThreads; ++t) {
            threads.emplace_back([&reporter, t] {
                for (int i = 0; i < kAdds; ++i) {
                    const std::string path = "/" + std::to_string(t) + "/" + std::to_string(i % kPaths);
                    EXPECT_TRUE(reporter.add({.pid = t, .path = path}));
                }
            });
        }
        for (auto& thread : threads) thread.join();
    }
    const Told all = told.get();
    EXPECT_EQ(all.sum, std::uint64_t{kThreads} * kAdds);
    EXPECT_EQ(all.counts.size(), std::size_t{kThreads} * kPaths);
    for (const auto& [path, count] : all.counts) {
        const int i = std::stoi(path.substr(3));
        EXPECT_EQ(count, static_cast<std::uint64_t>(kAdds / kPaths + (i < kAdds % kPaths ? 1 : 0))) << path;
    }
    std::unordered_map<char, int> next;  // of the first round of each thread
    for (const std::string& path : all.paths) {
        int& expected = next[path[1]];
        if (expected < kPaths && std::stoi(path.substr(3)) == expected) ++expected;
    }
    for (int t = 0; t < kThreads; ++t) EXPECT_EQ(next[static_cast<char>('0' + t)], kPaths);
}

// Nobody reads: what is taken is bounded, and whoever has one more waits until there is room.
TEST(Reporter, WaitsWhileReevedTakesNothingAndLosesNothing) {
    auto [keeper, reeved] = ends();
    Reporter reporter(std::move(keeper), {.window = 1ms, .packets = 2});
    std::atomic<std::uint64_t> taken = 0;
    std::atomic<bool> stop = false;
    std::thread adds([&] {
        for (int i = 0; !stop; ++i)
            if (reporter.add({.pid = 1, .path = "/" + std::to_string(i)})) ++taken;
    });
    std::uint64_t before = UINT64_MAX;
    while (before != taken) {  // it stands still
        before = taken;
        std::this_thread::sleep_for(100ms);
    }
    EXPECT_GT(taken, 0U);
    EXPECT_LT(taken, 64U * 1024);  // two packets of its own, and what the socket holds
    auto told = std::async(std::launch::async, [&] { return read_all(reeved.get()); });
    while (taken == before) std::this_thread::yield();
    stop = true;
    adds.join();
    EXPECT_TRUE(reporter.finish());
    ::shutdown(reporter.control(), SHUT_WR);
    const Told all = told.get();
    EXPECT_TRUE(all.all);
    EXPECT_EQ(all.sum, taken);
}

TEST(Reporter, SaysFalseOnceReevedIsGone) {
    auto [keeper, reeved] = ends();
    Reporter reporter(std::move(keeper), kLong);
    EXPECT_TRUE(reporter.add({.pid = 1, .path = "/a"}));
    reeved.reset();
    while (reporter.add({.pid = 1, .path = "/b"})) std::this_thread::yield();
    EXPECT_FALSE(reporter.finish());
}

TEST(Reporter, WhoWaitsForRoomIsToldThatReevedIsGone) {
    auto [keeper, reeved] = ends();
    Reporter reporter(std::move(keeper), {.window = 1ms, .packets = 2});
    std::atomic<std::uint64_t> taken = 0;
    std::thread adds([&] {
        for (int i = 0; reporter.add({.pid = 1, .path = "/" + std::to_string(i)}); ++i) ++taken;
    });
    std::uint64_t before = UINT64_MAX;
    while (before != taken) {
        before = taken;
        std::this_thread::sleep_for(100ms);
    }
    reeved.reset();
    adds.join();
    EXPECT_FALSE(reporter.finish());
}

// reeved asks for the last reports by shutting its sending side down: that alone ends nothing.
TEST(Reporter, StillSendsWhenReevedOnlySaysNoMore) {
    auto [keeper, reeved] = ends();
    ::shutdown(reeved.get(), SHUT_WR);
    {
        Reporter reporter(std::move(keeper), kLong);
        EXPECT_TRUE(reporter.add({.pid = 1, .path = "/last"}));
        EXPECT_TRUE(reporter.finish());
    }
    EXPECT_EQ(read_all(reeved.get()).sum, 1U);
}

}  // namespace
}  // namespace reeve::access
