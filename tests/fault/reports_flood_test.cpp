// Another process floods the daemon with a million distinct reports: each is in the log, the counts are exact, and
// the daemon's memory stays bounded, because the flooder waits.
#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <fstream>

#include "daemon/access/reporter.hpp"
#include "daemon/audit/watcher.hpp"
#include "platform/linux/seqpacket.hpp"
#include "tests/unit/daemon/audit/support.hpp"

namespace reeve::audit {
namespace {

using platform::Fd;

constexpr std::uint64_t kReports = 1'000'000;

std::uint64_t kib_of(const std::string& name) {
    std::ifstream status("/proc/self/status");
    for (std::string line; std::getline(status, line);)
        if (line.starts_with(name)) return std::stoull(line.substr(line.find_first_of("0123456789")));
    return 0;
}

// Exits with 0 where all was taken.
[[noreturn]] void flood(Fd control) {
    access::Reporter reporter(std::move(control));
    std::string path;
    for (std::uint64_t i = 0; i < kReports; ++i) {
        path = "/home/alice/.config/some-application/secrets/" + std::to_string(i);
        if (!reporter.add({.pid = ::getpid(),
                           .start_ns = 1,
                           .exe = "/usr/bin/find",
                           .action = policy::FileAction::read,
                           .verdict = policy::Verdict::deny,
                           .by_rule = true,
                           .error = ENOENT,
                           .operation = "open",
                           .path = path,
                           .rule = "vendor/secrets"}))
            ::_exit(1);
    }
    ::_exit(reporter.finish() ? 0 : 2);
}

TEST(ReportsFlood, AMillionDistinctReportsAreRecordedInBoundedMemory) {
    const test::Place place;
    test::device_key();
    auto pair = platform::seqpacket_pair().value();
    const pid_t child = ::fork();
    if (child == 0) {
        pair.ours.reset();
        flood(std::move(pair.theirs));
    }
    pair.theirs.reset();
    auto log = place.open({.segment_size = 8U << 20, .max_size = 64U << 20, .memory = 16U << 20}).value();
    const std::uint64_t before = log->position().seq;
    LogSink sink(*log);
    auto watcher = Watcher::start(sink).value();
    ASSERT_TRUE(watcher->add({.session = "s",
                              .context = std::make_shared<const SessionContext>(SessionFacts{.session = "s"}),
                              .by_handle = {},
                              .by_descriptor = {},
                              .places = {}}));
    const std::uint64_t memory = kib_of("VmHWM");
    const auto start = std::chrono::steady_clock::now();
    ASSERT_TRUE(watcher->add_reports("s", {.name = "flood", .control = std::move(pair.ours), .pid = child}));
    int status = -1;
    ASSERT_EQ(::waitpid(child, &status, 0), child);
    EXPECT_EQ(status, 0) << "all that it had was taken";
    const auto denials = watcher->denials("s", 0);
    const auto counts = watcher->remove("s");
    const std::chrono::duration<double> took = std::chrono::steady_clock::now() - start;
    ASSERT_TRUE(denials);
    EXPECT_EQ(denials->size(), Denials::kMost);
    EXPECT_EQ(denials->back().resource.substr(denials->back().resource.rfind('/')), "/999999");
    ASSERT_TRUE(counts) << counts.error().text();
    EXPECT_TRUE(counts->exact());
    EXPECT_EQ(counts->seen, kReports);
    EXPECT_EQ(counts->recorded, kReports);
    EXPECT_EQ(counts->gaps, 0U);
    EXPECT_EQ(log->statistics().lost, 0U);
    EXPECT_GE(log->position().seq - before, kReports);  // and the log's own
    const std::uint64_t grown = kib_of("VmHWM") - memory;
    EXPECT_LT(grown, 96U << 10) << "KiB";
    RecordProperty("reports_per_second", static_cast<int>(static_cast<double>(kReports) / took.count()));
    RecordProperty("grown_kib", static_cast<int>(grown));
    std::printf("%.0f reports a second, %lu KiB more at most\n", static_cast<double>(kReports) / took.count(),
                static_cast<unsigned long>(grown));
}

}  // namespace
}  // namespace reeve::audit
