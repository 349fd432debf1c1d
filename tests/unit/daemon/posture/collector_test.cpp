#include "daemon/posture/collector.hpp"

#include <gtest/gtest.h>

#include <barrier>
#include <stdexcept>
#include <thread>

#include "tests/unit/daemon/posture/support.hpp"

namespace reeve::posture::test {
namespace {

using std::chrono::seconds;
using namespace std::chrono_literals;

// What a probe that is a plain function tells the test, and hears from it.
struct Told {
    std::atomic<int> runs = 0, at_once = 0, most_at_once = 0;
    std::function<std::vector<Check>()> answer;
    std::vector<std::string> homes;
};
Told* told = nullptr;

std::vector<Check> probe_told(const Sources&, const Subject& subject) {
    ++told->runs;
    told->most_at_once = std::max<int>(told->most_at_once, ++told->at_once);
    told->homes.push_back(subject.home);
    auto checks = told->answer ? told->answer() : std::vector{check("disk", "encrypted", Word::kSuccess)};
    --told->at_once;
    return checks;
}

std::vector<Check> probe_other(const Sources&, const Subject&) {
    return {check("boot", "lockdown", Word::kFail, "value_none")};
}

class CollectorTest : public testing::Test {
  protected:
    CollectorTest() { told = &told_; }
    ~CollectorTest() override { told = nullptr; }

    Collector make(bool of_person = false, unsigned max_age = 60) {
        probes_ = {{"disk", {"encrypted"}, max_age, of_person, probe_told},
                   {"boot", {"lockdown"}, 3600, false, probe_other}};
        return {system_.sources(), probes_, [this] { return now_.load(); }};
    }

    Told told_;
    FakeSystem system_;
    std::vector<Probe> probes_;
    std::atomic<seconds> now_ = 1000s;
};

TEST_F(CollectorTest, GivesEveryCheckInTheOrderOfTheProbes) {
    auto collector = make();
    const auto posture = collector.collect({}, 60s);
    ASSERT_EQ(posture.checks.size(), 2U);
    EXPECT_EQ(posture.checks[0].id(), "disk.encrypted");
    EXPECT_EQ(posture.checks[1].id(), "boot.lockdown");
    EXPECT_EQ(posture.checks[0].collected, 1'790'000'000);
    EXPECT_EQ(posture.collected, 1'790'000'000);
    ASSERT_NE(posture.find("boot.lockdown"), nullptr);
    EXPECT_EQ(posture.find("boot.lockdown")->reason, "value_none");
    EXPECT_EQ(posture.find("boot"), nullptr);
}

TEST_F(CollectorTest, KeepsWhatIsFresh) {
    auto collector = make();
    (void)collector.collect({}, 60s);
    now_ = 1060s;
    system_.wall = 1'790'000'060;
    const auto posture = collector.collect({}, 60s);
    EXPECT_EQ(told_.runs, 1);
    EXPECT_EQ(posture.checks[0].collected, 1'790'000'000)
        << "when it was measured, not when it was asked for";
}

TEST_F(CollectorTest, MeasuresAgainWhatTheProbeCallsOld) {
    auto collector = make(false, 60);
    (void)collector.collect({}, 3600s);
    now_ = 1061s;
    system_.wall = 1'790'000'061;
    const auto posture = collector.collect({}, 3600s);
    EXPECT_EQ(told_.runs, 2);
    EXPECT_EQ(posture.checks[0].collected, 1'790'000'061);
    EXPECT_EQ(posture.checks[1].collected, 1'790'000'000);
    EXPECT_EQ(posture.collected, 1'790'000'000) << "of the oldest";
}

TEST_F(CollectorTest, MeasuresAgainWhatTheCallerCallsOld) {
    auto collector = make(false, 3600);
    (void)collector.collect({}, 3600s);
    now_ = 1011s;
    (void)collector.collect({}, 10s);
    EXPECT_EQ(told_.runs, 2);
    (void)collector.collect({}, 0s);
    EXPECT_EQ(told_.runs, 2) << "measured in this very second";
}

// A clock that is set back must not make old results fresh.
TEST_F(CollectorTest, FreshnessIsMonotonic) {
    auto collector = make();
    (void)collector.collect({}, 60s);
    system_.wall = 1'700'000'000;
    now_ = 1061s;
    const auto posture = collector.collect({}, 60s);
    EXPECT_EQ(told_.runs, 2);
    EXPECT_EQ(posture.checks[0].collected, 1'700'000'000);
}

// A result is as old as the begin of its measurement.
TEST_F(CollectorTest, ASlowProbeAgesWhileItRuns) {
    auto collector = make();
    told_.answer = [this] {
        now_ = now_.load() + 50s;
        system_.wall += 50;
        return std::vector{check("disk", "encrypted", Word::kSuccess)};
    };
    EXPECT_EQ(collector.collect({}, 60s).checks[0].collected, 1'790'000'000);
    now_ = now_.load() + 11s;
    (void)collector.collect({}, 60s);
    EXPECT_EQ(told_.runs, 2);
}

TEST_F(CollectorTest, PeopleAreMeasuredApartWhereItMatters) {
    auto collector = make(true);
    (void)collector.collect({.home = "/home/alice"}, 60s);
    (void)collector.collect({.home = "/home/bob"}, 60s);
    (void)collector.collect({.home = "/home/alice"}, 60s);
    EXPECT_EQ(told_.homes, (std::vector<std::string>{"/home/alice", "/home/bob"}));
}

TEST_F(CollectorTest, PeopleShareWhatIsTheDevices) {
    auto collector = make(false);
    (void)collector.collect({.home = "/home/alice"}, 60s);
    (void)collector.collect({.home = "/home/bob"}, 60s);
    EXPECT_EQ(told_.runs, 1);
}

// --- probes that go wrong

TEST_F(CollectorTest, AProbeThatThrowsLeavesNotRun) {
    auto collector = make();
    told_.answer = []() -> std::vector<Check> { throw std::runtime_error("out of ideas"); };
    const auto posture = collector.collect({}, 60s);
    ASSERT_EQ(posture.checks.size(), 2U);
    EXPECT_EQ(posture.checks[0].id(), "disk.encrypted");
    EXPECT_EQ(posture.checks[0].word, Word::kNotRun);
    EXPECT_EQ(posture.checks[0].reason, "internal");
    EXPECT_EQ(posture.checks[0].detail, "out of ideas");
    EXPECT_EQ(posture.checks[0].collected, 1'790'000'000);
    EXPECT_EQ(posture.checks[1].word, Word::kFail) << "the others are measured";
}

TEST_F(CollectorTest, ANameThatIsForgottenIsNotRun) {
    auto collector = make();
    told_.answer = [] { return std::vector{check("disk", "of-its-own", Word::kSuccess)}; };
    const auto posture = collector.collect({}, 60s);
    ASSERT_EQ(posture.checks.size(), 3U);
    ASSERT_NE(posture.find("disk.encrypted"), nullptr);
    EXPECT_EQ(posture.find("disk.encrypted")->word, Word::kNotRun);
    EXPECT_EQ(posture.find("disk.of-its-own")->word, Word::kSuccess);
}

TEST_F(CollectorTest, NothingToMeasureIsAnEmptyPosture) {
    Collector collector(system_.sources(), {}, [] { return 0s; });
    const auto posture = collector.collect({}, 0s);
    EXPECT_TRUE(posture.checks.empty());
    EXPECT_EQ(posture.collected, 0);
}

// --- one flight

TEST_F(CollectorTest, CallersShareOneFlight) {
    auto collector = make();
    constexpr int kCallers = 8;
    std::barrier start(kCallers);
    std::vector<Posture> postures(kCallers);
    {
        std::vector<std::jthread> callers;
        for (auto& posture : postures)
            callers.emplace_back([&] {
                start.arrive_and_wait();
                posture = collector.collect({}, 60s);
            });
    }
    EXPECT_EQ(told_.runs, 1);
    for (const auto& posture : postures) EXPECT_EQ(posture.checks.size(), 2U);
}

TEST_F(CollectorTest, NoTwoFlightsAtOnce) {
    auto collector = make(true);
    told_.answer = [] {
        std::this_thread::yield();
        return std::vector{check("disk", "encrypted", Word::kSuccess)};
    };
    std::barrier start(4);
    {
        std::vector<std::jthread> callers;
        for (int i = 0; i < 4; ++i)
            callers.emplace_back([&, i] {
                start.arrive_and_wait();
                for (int round = 0; round < 50; ++round)
                    (void)collector.collect({.home = "/home/" + std::to_string(i * 50 + round)}, 60s);
            });
    }
    EXPECT_EQ(told_.runs, 200);
    EXPECT_EQ(told_.most_at_once, 1);
}

}  // namespace
}  // namespace reeve::posture::test
