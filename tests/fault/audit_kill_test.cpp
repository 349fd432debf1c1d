// A writer that is killed in mid-flight, again and again: what reached the disk verifies at the next start,
// and what was torn is on record.
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <random>

#include "daemon/audit/line.hpp"
#include "tests/unit/daemon/audit/support.hpp"

namespace reeve::audit {
namespace {

std::uintmax_t size_of(const test::Place& place) {
    std::uintmax_t size = 0;
    for (const auto& path : place.segments()) size += std::filesystem::file_size(path);
    return size;
}

[[noreturn]] void write_until_killed(const test::Place& place) {
    auto log = place.open({.segment_size = 1U << 20, .checkpoint_records = 1000});
    if (!log) ::_exit(1);
    for (int i = 0;; ++i) test::fill(**log, 1, i);
}

// Kills the writer when the log has grown by that much. False if it never did, or died of its own.
bool kill_after(const test::Place& place, std::uintmax_t growth) {
    const std::uintmax_t goal = size_of(place) + growth;
    const pid_t child = ::fork();
    if (child == 0) write_until_killed(place);
    const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(60);
    int status = 0;
    while (size_of(place) < goal && std::chrono::steady_clock::now() < deadline) {
        if (::waitpid(child, &status, WNOHANG) == child) return false;
        ::sched_yield();
    }
    ::kill(child, SIGKILL);
    ::waitpid(child, &status, 0);
    return WIFSIGNALED(status) && size_of(place) >= goal;
}

TEST(AuditKilled, InMidFlightManyTimes) {
    const test::Place place;
    test::device_key();  // before the forks, so that all writers have the same
    { ASSERT_TRUE(place.open()); }
    std::mt19937 random(7);
    std::uint64_t torn = 0;
    for (int round = 0; round < 15; ++round) {
        ASSERT_TRUE(kill_after(place, random() % 300'000)) << round;
        const std::string text = place.text();
        torn += text.empty() || text.back() != '\n' ? 1 : 0;
        { ASSERT_TRUE(place.open()) << round; }
        const VerifyReport report = place.verify();
        ASSERT_TRUE(report.ok()) << round << ": " << report.text();
        ASSERT_EQ(report.gaps, torn) << round;
    }
    RecordProperty("torn", static_cast<int>(torn));
}

}  // namespace
}  // namespace reeve::audit
