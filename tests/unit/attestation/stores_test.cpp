#include "attestation/stores.hpp"

#include <gtest/gtest.h>

#include <atomic>
#include <barrier>
#include <set>
#include <thread>
#include <vector>

#include "attestation/jose/base64url.hpp"
#include "tests/unit/attestation/tokens.hpp"

namespace reeve::attestation::tests {
namespace {

using std::chrono::seconds;

// Starts them together, and joins.
template <class Work>
void on_threads(int count, Work work) {
    std::barrier start(count);
    std::vector<std::jthread> threads;
    for (int i = 0; i < count; ++i)
        threads.emplace_back([&, i] {
            start.arrive_and_wait();
            work(i);
        });
}

TEST(MemoryChallenges, AreRandomAndGoodOnce) {
    MemoryChallenges store(3, seconds(60), sources_at(kNow));
    std::string first = *store.issue(), second = *store.issue();
    EXPECT_EQ(first.size(), 43u);
    EXPECT_NE(first, second);
    EXPECT_EQ(store.consume(first, kNow), ChallengeState::kFresh);
    EXPECT_EQ(store.consume(first, kNow), ChallengeState::kUnknown);
    EXPECT_EQ(store.consume("", kNow), ChallengeState::kUnknown);
    EXPECT_EQ(store.consume(second, kNow + seconds(60)), ChallengeState::kExpired);
    EXPECT_EQ(store.consume(second, kNow), ChallengeState::kUnknown);
}

TEST(MemoryChallenges, WhenFullNothingIsGivenOutUntilSomethingEnds) {
    Time now = kNow;
    MemoryChallenges store(2, seconds(60), {[&] { return now; }, system_sources().random});
    std::string first = *store.issue(), second = *store.issue();
    auto third = store.issue();
    ASSERT_FALSE(third);
    EXPECT_EQ(third.error().fault, Fault::kTooLarge);
    EXPECT_EQ(store.consume(first, now), ChallengeState::kFresh);  // those that wait are still good
    EXPECT_TRUE(store.issue());
    EXPECT_FALSE(store.issue());
    now += seconds(60);
    EXPECT_TRUE(store.issue());
    EXPECT_EQ(store.consume(second, now), ChallengeState::kUnknown);  // made room
    EXPECT_FALSE(MemoryChallenges(0, seconds(60), sources_at(kNow)).issue());
}

TEST(MemoryChallenges, WithoutRandomnessThereIsNone) {
    MemoryChallenges store(
        2, seconds(60),
        {[] { return kNow; }, [](std::span<std::byte>) -> Status { return fail(Fault::kRandom, "dry"); }});
    EXPECT_EQ(store.issue().error().fault, Fault::kRandom);
    // Nor is a generator that repeats itself taken for one.
    MemoryChallenges again(2, seconds(60),
                           {[] { return kNow; }, [](std::span<std::byte>) -> Status { return {}; }});
    EXPECT_TRUE(again.issue());
    EXPECT_EQ(again.issue().error().fault, Fault::kRandom);
}

TEST(MemoryChallenges, OneOfManyThreadsGetsEach) {
    constexpr int kThreads = 8, kEach = 200;
    MemoryChallenges store(kEach, seconds(60), sources_at(kNow));
    std::vector<std::string> given;
    for (int i = 0; i < kEach; ++i) given.push_back(*store.issue());
    std::atomic<int> fresh = 0;
    on_threads(kThreads, [&](int) {
        for (const auto& one : given) fresh += store.consume(one, kNow) == ChallengeState::kFresh;
    });
    EXPECT_EQ(fresh, kEach);
}

TEST(MemoryChallenges, NeverHoldMoreThanTheirCapacityUnderThreads) {
    MemoryChallenges store(50, seconds(60), sources_at(kNow));
    std::atomic<int> given = 0;
    on_threads(8, [&](int) {
        for (int i = 0; i < 100; ++i) given += store.issue().has_value();
    });
    EXPECT_EQ(given, 50);
}

TEST(ExpectedChallenge, IsGoodOnceAndOnlyThatOne) {
    ExpectedChallenge store("12345678");
    EXPECT_EQ(store.consume("12345679", kNow), ChallengeState::kUnknown);
    EXPECT_EQ(store.consume("12345678", kNow), ChallengeState::kFresh);
    EXPECT_EQ(store.consume("12345678", kNow), ChallengeState::kUnknown);
    EXPECT_EQ(store.consume("", kNow), ChallengeState::kUnknown);
    EXPECT_EQ(ExpectedChallenge("").consume("", kNow), ChallengeState::kUnknown);
    EXPECT_EQ(ExpectedChallenge("").consume(nonce_of(""), kNow), ChallengeState::kUnknown);
    EXPECT_EQ(ExpectedChallenge("short").consume(jose::sha256_base64url("short"), kNow),
              ChallengeState::kFresh);
}

TEST(ExpectedChallenge, OneOfManyThreadsGetsIt) {
    for (int round = 0; round < 50; ++round) {
        ExpectedChallenge store("12345678");
        std::atomic<int> fresh = 0;
        on_threads(4, [&](int) { fresh += store.consume("12345678", kNow) == ChallengeState::kFresh; });
        EXPECT_EQ(fresh, 1);
    }
}

TEST(MemoryReplay, RemembersUntilTheTimeThatItWasGiven) {
    MemoryReplay store(10);
    EXPECT_EQ(store.remember("a", kNow + seconds(10), kNow), ReplayState::kNew);
    EXPECT_EQ(store.remember("a", kNow + seconds(99), kNow), ReplayState::kSeen);
    EXPECT_EQ(store.remember("b", kNow + seconds(10), kNow), ReplayState::kNew);
    EXPECT_EQ(store.remember("a", kNow + seconds(99), kNow + seconds(9)), ReplayState::kSeen);
    EXPECT_EQ(store.remember("a", kNow + seconds(99), kNow + seconds(10)), ReplayState::kNew);
    EXPECT_EQ(store.remember(std::string("a\0", 2), kNow + seconds(99), kNow), ReplayState::kNew);
}

TEST(MemoryReplay, AClockThatGoesBackBringsNothingBack) {
    MemoryReplay store(10);
    EXPECT_EQ(store.remember("a", kNow + seconds(10), kNow), ReplayState::kNew);
    EXPECT_EQ(store.remember("b", kNow + seconds(100), kNow + seconds(50)), ReplayState::kNew);
    EXPECT_EQ(store.remember("a", kNow + seconds(10), kNow), ReplayState::kSeen);
}

TEST(MemoryReplay, WhenFullEverythingNewIsRefusedAndNothingIsForgotten) {
    MemoryReplay store(2);
    EXPECT_EQ(store.remember("a", kNow + seconds(10), kNow), ReplayState::kNew);
    EXPECT_EQ(store.remember("b", kNow + seconds(20), kNow), ReplayState::kNew);
    EXPECT_EQ(store.remember("c", kNow + seconds(20), kNow), ReplayState::kFull);
    EXPECT_EQ(store.remember("a", kNow + seconds(10), kNow), ReplayState::kSeen);
    EXPECT_EQ(store.remember("c", kNow + seconds(20), kNow + seconds(10)), ReplayState::kNew);
    EXPECT_EQ(store.remember("d", kNow + seconds(30), kNow + seconds(10)), ReplayState::kFull);
    EXPECT_EQ(MemoryReplay(0).remember("a", kNow + seconds(1), kNow), ReplayState::kFull);
    EXPECT_EQ(MemoryReplay(9).remember(std::string(33, 'x'), kNow + seconds(1), kNow), ReplayState::kFull);
}

TEST(MemoryReplay, OneOfManyThreadsIsTheFirst) {
    constexpr int kIds = 500;
    MemoryReplay store(kIds);
    std::atomic<int> fresh = 0, full = 0;
    on_threads(8, [&](int thread) {
        for (int i = 0; i < kIds; ++i) {
            int id = (i * 7 + thread) % kIds;
            auto state = store.remember(std::to_string(id), kNow + seconds(id + 1), kNow);
            fresh += state == ReplayState::kNew;
            full += state == ReplayState::kFull;
        }
    });
    EXPECT_EQ(fresh, kIds);
    EXPECT_EQ(full, 0);
}

}  // namespace
}  // namespace reeve::attestation::tests
