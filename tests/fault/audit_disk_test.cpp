// The disk itself fails: ext4 on a loop device whose backing file lies in a tmpfs that is full. A write goes
// to the page cache and is taken; only its fdatasync fails, as on a dying disk. And a limit of
// file sizes, which makes write() itself fail.
//
// Not injected: EIO from write() itself (it needs a device-mapper target, which not every kernel has), and a
// disk that fails to read.
#include <fcntl.h>
#include <gtest/gtest.h>
#include <linux/loop.h>
#include <sched.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>

#include "daemon/audit/line.hpp"
#include "tests/unit/daemon/audit/support.hpp"

namespace reeve::audit {
namespace {

using platform::Fd;

Unwritable telling(std::atomic<int>& outages, std::atomic<int>& code) {
    return [&](const platform::Error& error) {
        ++outages;
        code = error.code;
    };
}

class AuditDiskFails : public ::testing::Test {
  protected:
    void SetUp() override {
        if (::geteuid() != 0 || ::unshare(CLONE_NEWNS) != 0) GTEST_SKIP() << "mounting needs root";
        ASSERT_EQ(::mount(nullptr, "/", nullptr, MS_REC | MS_PRIVATE, nullptr), 0);
        std::filesystem::create_directory(backing_);
        ASSERT_EQ(::mount("tmpfs", backing_.c_str(), "tmpfs", 0, "size=8m"), 0);
        const std::string image = (backing_ / "image").string();
        const Fd file(::open(image.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600));
        ASSERT_EQ(::ftruncate(file.get(), 64 << 20), 0);
        if (!make_file_system(image)) GTEST_SKIP() << "mkfs.ext4 is not here";
        const Fd control(::open("/dev/loop-control", O_RDWR | O_CLOEXEC));
        const int number = control ? ::ioctl(control.get(), LOOP_CTL_GET_FREE) : -1;
        const std::string device = "/dev/loop" + std::to_string(number);
        loop_.reset(::open(device.c_str(), O_RDWR | O_CLOEXEC));
        loop_config config{};
        config.fd = static_cast<std::uint32_t>(file.get());
        config.info.lo_flags = LO_FLAGS_AUTOCLEAR;
        if (!loop_ || ::ioctl(loop_.get(), LOOP_CONFIGURE, &config) != 0)
            GTEST_SKIP() << "no loop device: errno " << errno;
        std::filesystem::create_directory(place_.log);
        ASSERT_EQ(::mount(device.c_str(), place_.log.c_str(), "ext4", 0, "errors=continue"), 0) << errno;
        ASSERT_EQ(::chmod(place_.log.c_str(), 0750), 0);
    }
    void TearDown() override {
        ::umount2(place_.log.c_str(), MNT_DETACH);
        loop_.reset();
        ::umount2(backing_.c_str(), MNT_DETACH);
    }
    static bool make_file_system(const std::string& image) {
        const pid_t child = ::fork();
        if (child == 0) {
            // No journal: a failed commit would turn the file system read-only for good.
            ::execl("/usr/sbin/mkfs.ext4", "mkfs.ext4", "-q", "-F", "-O", "^has_journal", image.c_str(),
                    nullptr);
            ::_exit(127);
        }
        int status = 1;
        return ::waitpid(child, &status, 0) == child && status == 0;
    }
    void fill_backing() const {
        const Fd filler(::open((backing_ / "filler").c_str(), O_WRONLY | O_CREAT | O_CLOEXEC, 0600));
        const std::string block(1 << 16, 'x');
        while (::write(filler.get(), block.data(), block.size()) > 0) {
        }
    }

    const test::Place place_;
    const std::filesystem::path backing_ = place_.scratch.path / "backing";
    Fd loop_;
};

TEST_F(AuditDiskFails, AFailedSyncIsAnOutageAndLeavesItsRangeInDoubt) {
    std::atomic<int> outages = 0, code = 0;
    auto log = place_.open({}, telling(outages, code)).value();
    test::fill(*log, 100);
    ASSERT_TRUE(log->flush());
    const std::uint64_t durable = log->position().seq;
    fill_backing();
    platform::Status failed;
    for (int i = 0; i < 1000 && failed; ++i) {
        test::fill(*log, 1000);
        failed = log->flush();
    }
    ASSERT_FALSE(failed);
    // Which of the two depends on how the loop device hands its backing's failure on.
    EXPECT_TRUE(failed.error().code == EIO || failed.error().code == ENOSPC) << failed.error().text();
    EXPECT_EQ(code, failed.error().code);
    EXPECT_EQ(outages, 1);
    EXPECT_FALSE(log->statistics().writable);

    std::filesystem::remove(backing_ / "filler");  // the disk works again
    platform::Status again;
    for (int i = 0; i < 100; ++i) {
        again = log->flush();
        if (again) break;
    }
    ASSERT_TRUE(again) << again.error().text();
    ASSERT_TRUE(log->checkpoint());
    const LogStatistics statistics = log->statistics();
    EXPECT_TRUE(statistics.writable);
    EXPECT_EQ(statistics.lost, 0U);
    log.reset();
    const VerifyReport report = place_.verify();
    EXPECT_TRUE(report.ok()) << report.text();
    std::uint64_t doubts = 0;
    for (const std::string& line : test::lines_of(place_.text())) {
        const auto details = member(line, "details");
        if (text_member(line, "action") != "audit.gap" || !details) continue;
        ++doubts;
        EXPECT_EQ(text_member(*details, "reason"), "sync_failed");
        EXPECT_GE(number_member(*details, "from_seq"), durable);
        EXPECT_GT(number_member(*details, "to_seq"), number_member(*details, "from_seq"));
    }
    EXPECT_GE(doubts, 1U);
}

// write() itself fails: EFBIG, by the limit of this process, which also signals (ignored, as a daemon does).
TEST(AuditFileLimit, AFailedWriteIsAnOutageAndNothingIsLost) {
    const test::Place place;
    std::atomic<int> outages = 0, code = 0;
    rlimit before{};
    ASSERT_EQ(::getrlimit(RLIMIT_FSIZE, &before), 0);
    const auto handler = ::signal(SIGXFSZ, SIG_IGN);
    {
        auto log = place.open({}, telling(outages, code)).value();
        const rlimit small{.rlim_cur = 64 << 10, .rlim_max = before.rlim_max};
        ASSERT_EQ(::setrlimit(RLIMIT_FSIZE, &small), 0);
        platform::Status failed;
        for (int i = 0; i < 100 && failed; ++i) {
            test::fill(*log, 100);
            failed = log->flush();
        }
        EXPECT_FALSE(failed);
        EXPECT_EQ(code, EFBIG);
        EXPECT_FALSE(log->statistics().writable);
        EXPECT_EQ(::setrlimit(RLIMIT_FSIZE, &before), 0);
        EXPECT_TRUE(log->flush());
        EXPECT_EQ(log->statistics().lost, 0U);
        EXPECT_EQ(outages, 1);
    }
    ::signal(SIGXFSZ, handler);
    const VerifyReport report = place.verify();
    EXPECT_TRUE(report.ok()) << report.text();
    EXPECT_EQ(report.gaps, 0U);
}

}  // namespace
}  // namespace reeve::audit
