#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include "daemon/audit/line.hpp"
#include "tests/unit/daemon/audit/support.hpp"

namespace reeve::audit {
namespace {

using test::Place;

TEST(Retention, BySizeRemovesWholeSegmentsAndSaysSo) {
    const Place place;
    LogOptions options;
    options.segment_size = 10'000;
    options.max_size = 50'000;
    {
        auto log = place.open(options).value();
        for (int i = 0; i < 100; ++i) {
            test::fill(*log, 10, 10 * i);
            ASSERT_TRUE(log->flush());
        }
    }
    std::uint64_t size = 0;
    for (const auto& path : place.segments()) size += std::filesystem::file_size(path);
    EXPECT_LT(size, 75'000U);
    VerifyReport report = place.verify();
    EXPECT_TRUE(report.ok()) << report.text();
    EXPECT_GT(report.first_seq, 500U);
    EXPECT_NE(place.text().find(R"("reason":"retention")"), std::string::npos);

    // One segment more than retention took is missed.
    std::filesystem::remove(place.segments().at(0));
    report = place.verify();
    EXPECT_EQ(report.problem, Problem::kStartMissing) << report.text();
}

TEST(Retention, ByAge) {
    const Place place;
    {
        auto log = place.open({.segment_size = 10'000}).value();
        test::fill(*log, 100);
    }
    const auto before = place.segments();
    ASSERT_GE(before.size(), 4U);
    const timespec old[2] = {{.tv_sec = 1'000'000'000, .tv_nsec = 0},
                             {.tv_sec = 1'000'000'000, .tv_nsec = 0}};
    for (std::size_t i = 0; i < 2; ++i) ASSERT_EQ(::utimensat(AT_FDCWD, before[i].c_str(), old, 0), 0);
    {
        auto log = place.open({.keep = std::chrono::hours(24)}).value();
        ASSERT_TRUE(log->flush());
    }
    EXPECT_EQ(place.segments(), std::vector(before.begin() + 2, before.end()));
    EXPECT_TRUE(place.verify().ok()) << place.verify().text();
}

TEST(Retention, NothingIsRemovedThatNoSignedRecordSays) {
    const Place place;
    const Sign refuse = [](const std::string&) -> platform::Result<std::string> {
        return platform::error("sign", "", "clock_invalid");
    };
    {
        auto log = place.open({.segment_size = 10'000, .max_size = 20'000}, nullptr, refuse).value();
        test::fill(*log, 100);
    }
    EXPECT_GE(place.segments().size(), 4U);
    EXPECT_TRUE(place.verify().ok()) << place.verify().text();
}

}  // namespace
}  // namespace reeve::audit
