// The disk is full: a real, small tmpfs that fills up and is made larger.
#include <gtest/gtest.h>
#include <sched.h>
#include <sys/mount.h>
#include <unistd.h>

#include <atomic>

#include <future>

#include "daemon/access/reporter.hpp"
#include "daemon/audit/line.hpp"
#include "daemon/audit/watcher.hpp"
#include "platform/linux/seqpacket.hpp"
#include "tests/unit/daemon/audit/support.hpp"

namespace reeve::audit {
namespace {

class AuditDiskFull : public ::testing::Test {
  protected:
    void SetUp() override {
        // In a mount namespace of its own, so that nothing stays behind, whatever happens to this test.
        if (::geteuid() != 0 || ::unshare(CLONE_NEWNS) != 0) GTEST_SKIP() << "mounting a tmpfs needs root";
        ASSERT_EQ(::mount(nullptr, "/", nullptr, MS_REC | MS_PRIVATE, nullptr), 0);
        std::filesystem::create_directory(place_.log);
        ASSERT_EQ(::mount("tmpfs", place_.log.c_str(), "tmpfs", 0, "size=1m,mode=0750"), 0);
        test::device_key();
    }
    void TearDown() override { ::umount2(place_.log.c_str(), MNT_DETACH); }
    void enlarge(const char* size) {
        ASSERT_EQ(::mount(nullptr, place_.log.c_str(), nullptr, MS_REMOUNT, size), 0) << errno;
    }
    Unwritable counting() {
        return [this](const platform::Error& error) {
            ++outages_;
            code_ = error.code;
        };
    }
    // Appends until the log says that it cannot write; gives how many records were taken.
    std::uint64_t fill_up(Log& log) {
        std::uint64_t before = log.statistics().appended;
        for (int i = 0; i < 1000 && log.statistics().writable; ++i) {
            test::fill(log, 100);
            (void)log.flush();
        }
        EXPECT_FALSE(log.statistics().writable);
        return log.statistics().appended - before;
    }
    std::uint64_t file_reads() const {
        std::uint64_t count = 0;
        for (const std::string& line : test::lines_of(place_.text())) {
            count += text_member(line, "action") == "file.read" ? 1 : 0;
        }
        return count;
    }

    const test::Place place_;
    std::atomic<int> outages_ = 0, code_ = 0;
};

TEST_F(AuditDiskFull, NothingIsLostWithinTheBound) {
    auto log = place_.open({}, counting()).value();
    fill_up(*log);
    EXPECT_EQ(outages_, 1);
    EXPECT_EQ(code_, ENOSPC);
    test::fill(*log, 1000);
    const auto failed = log->flush();
    ASSERT_FALSE(failed);
    EXPECT_EQ(failed.error().code, ENOSPC);
    EXPECT_EQ(log->statistics().lost, 0U);

    enlarge("size=64m");
    ASSERT_TRUE(log->flush());
    EXPECT_TRUE(log->statistics().writable);
    log.reset();
    const VerifyReport report = place_.verify();
    EXPECT_TRUE(report.ok()) << report.text();
    EXPECT_EQ(report.gaps, 0U);
    EXPECT_EQ(outages_, 1);
}

TEST_F(AuditDiskFull, TheFirstRecordAfterRecoveryCountsWhatWasLost) {
    auto log = place_.open({.segment_size = 200'000, .memory = 100'000}, counting()).value();
    for (int outage = 1; outage <= 2; ++outage) {
        fill_up(*log);
        EXPECT_EQ(outages_, outage);
        std::string storage;
        std::uint64_t refused = 0;
        for (int i = 0; i < 5000; ++i) refused += log->append(test::file_read(storage, i)) ? 0 : 1;
        EXPECT_GT(refused, 1000U);
        enlarge(outage == 1 ? "size=4m" : "size=64m");
        ASSERT_TRUE(log->flush());
        test::fill(*log, 1);
        ASSERT_TRUE(log->flush());
    }
    const LogStatistics statistics = log->statistics();
    log.reset();
    const VerifyReport report = place_.verify();
    EXPECT_TRUE(report.ok()) << report.text();
    EXPECT_EQ(report.gaps, 2U);
    EXPECT_EQ(report.lost, statistics.lost);
    EXPECT_EQ(file_reads() + report.checkpoints + report.gaps, report.records);
    // What comes first after what was lost is the record that says so.
    const auto lines = test::lines_of(place_.text());
    for (std::size_t i = 0; i < lines.size(); ++i) {
        if (text_member(lines[i], "action") != "audit.gap") continue;
        EXPECT_EQ(text_member(*member(lines[i], "details"), "reason"), "log_unwritable");
    }
}

TEST_F(AuditDiskFull, ALogThatCannotBeWrittenIsNotOpened) {
    const std::string filler(2U << 20, 'x');
    test::write_file(place_.log / "filler", filler);
    const auto log = place_.open();
    ASSERT_FALSE(log);
    EXPECT_EQ(log.error().code, ENOSPC);
}

TEST_F(AuditDiskFull, AnEndWhileItIsFullLeavesATornLineThatIsRecorded) {
    {
        auto log = place_.open({}, counting()).value();
        fill_up(*log);
    }
    const std::string text = place_.text();
    ASSERT_NE(text.back(), '\n');
    enlarge("size=64m");
    { ASSERT_TRUE(place_.open()); }
    const VerifyReport report = place_.verify();
    EXPECT_TRUE(report.ok()) << report.text();
    EXPECT_EQ(report.gaps, 1U);
}

// What is reported meanwhile waits with who reports it, which does nothing more; and all of it is there afterwards.
TEST_F(AuditDiskFull, ReportersWaitUntilThereIsRoom) {
    auto log = place_.open({.memory = 100'000}, counting()).value();
    LogSink sink(*log);
    auto watcher = Watcher::start(sink).value();
    WatchSetup setup;
    setup.session = "s";
    setup.context = std::make_shared<const SessionContext>(SessionFacts{.session = "s"});
    ASSERT_TRUE(watcher->add(std::move(setup)));
    auto pair = platform::seqpacket_pair().value();
    ASSERT_TRUE(watcher->add_reports("s", {.name = "keeper", .control = std::move(pair.ours)}));
    constexpr std::uint64_t kReports = 100'000;
    std::atomic<std::uint64_t> taken = 0;
    auto reports = std::async(std::launch::async, [&, control = std::move(pair.theirs)]() mutable {
        access::Reporter reporter(std::move(control));
        for (std::uint64_t i = 0; i < kReports; ++i) {
            const std::string path = "/home/alice/work/" + std::to_string(i);
            if (reporter.add({.action = policy::FileAction::create, .path = path})) ++taken;
        }
        return reporter.finish();
    });
    for (std::uint64_t before = 1; before != taken || outages_ == 0;) {  // it stands still
        before = taken;
        ::usleep(300'000);
    }
    EXPECT_LT(taken, kReports);
    enlarge("size=256m");
    ASSERT_TRUE(log->flush());
    EXPECT_TRUE(reports.get());
    // The log's memory is small: what waits goes there in several goes.
    while (!watcher->drain("s")) ASSERT_TRUE(log->flush());
    const auto counts = watcher->remove("s");
    ASSERT_TRUE(counts) << counts.error().text();
    EXPECT_EQ(counts->recorded, kReports);
    EXPECT_EQ(counts->gaps, 0U);
    EXPECT_EQ(log->statistics().lost, 0U);
    watcher.reset();
    log.reset();
    const VerifyReport report = place_.verify();
    EXPECT_TRUE(report.ok()) << report.text();
    EXPECT_EQ(report.records - report.checkpoints, kReports);
}

}  // namespace
}  // namespace reeve::audit
