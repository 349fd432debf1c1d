#include "daemon/audit/log.hpp"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <atomic>
#include <thread>

#include "daemon/audit/line.hpp"
#include "daemon/audit/segment.hpp"
#include "tests/unit/daemon/audit/support.hpp"

namespace reeve::audit {
namespace {

using test::Place;

TEST(Log, WritesChainedLinesThatVerify) {
    const Place place;
    {
        auto log = place.open().value();
        test::fill(*log, 1000);
        ASSERT_TRUE(log->flush());
        EXPECT_EQ(test::lines_of(place.text()).size(), 1001U);  // and the checkpoint that opens the segment
        EXPECT_EQ(log->position().seq, 1001U);
    }
    const VerifyReport report = place.verify();
    EXPECT_TRUE(report.ok()) << report.text();
    EXPECT_EQ(report.records, 1002U);          // and the one that closes it
    EXPECT_EQ(report.signatures_checked, 3U);  // and that of the state directory
    EXPECT_FALSE(report.live);
}

TEST(Log, GoesOnWhereItEnded) {
    const Place place;
    std::uint64_t seq = 0;
    for (int i = 0; i < 5; ++i) {
        auto log = place.open().value();
        EXPECT_GT(log->position().seq, seq);
        test::fill(*log, 10);
        seq = log->position().seq;
    }
    EXPECT_EQ(place.segments().size(), 1U);
    const VerifyReport report = place.verify();
    EXPECT_TRUE(report.ok()) << report.text();
    EXPECT_EQ(report.gaps, 0U);
}

TEST(Log, RefusesASecondWriter) {
    const Place place;
    const auto log = place.open().value();
    const auto second = place.open();
    ASSERT_FALSE(second);
    EXPECT_EQ(second.error().todo, "another reeved writes it: stop that one");
}

TEST(Log, DirectoryOfOthersIsRefused) {
    const test::Scratch scratch;
    const std::string open_to_all = scratch.path / "open", link = scratch.path / "link",
                      fine = scratch.path / "fine";
    ASSERT_TRUE(open_directory(fine));
    struct stat status {};
    ASSERT_EQ(::stat(fine.c_str(), &status), 0);
    EXPECT_EQ(status.st_mode & 07777, 0750U);

    ASSERT_TRUE(open_directory(open_to_all));
    ASSERT_EQ(::chmod(open_to_all.c_str(), 0770), 0);
    EXPECT_EQ(open_directory(open_to_all).error().why, "group or others can write it");
    ASSERT_EQ(::symlink(fine.c_str(), link.c_str()), 0);
    EXPECT_FALSE(open_directory(link));
    if (::geteuid() == 0) {
        ASSERT_EQ(::chown(fine.c_str(), 12345, 0), 0);
        EXPECT_EQ(open_directory(fine).error().why, "it belongs to uid 12345");
    }
}

TEST(Log, SegmentsAreForRootAndItsGroupAlone) {
    const Place place;
    const auto log = place.open().value();
    struct stat status {};
    ASSERT_EQ(::stat(place.segments().at(0).c_str(), &status), 0);
    EXPECT_EQ(status.st_mode & 07777, 0640U);
    ASSERT_EQ(::stat((place.state / "audit-checkpoint.jws").c_str(), &status), 0);
    EXPECT_EQ(status.st_mode & 07777, 0600U);
}

TEST(Log, RotatesBySizeAndTheChainGoesOn) {
    const Place place;
    {
        auto log = place.open({.segment_size = 20'000}).value();
        test::fill(*log, 1000);
    }
    EXPECT_GT(place.segments().size(), 10U);
    const VerifyReport report = place.verify();
    EXPECT_TRUE(report.ok()) << report.text();
    for (const auto& path : place.segments()) {
        EXPECT_LT(std::filesystem::file_size(path), 22'000U);
        const std::string first = test::lines_of(test::read_file(path)).front();
        EXPECT_EQ(text_member(first, "action"), "audit.checkpoint") << path;
    }
}

TEST(Log, RotatesByAge) {
    const Place place;
    std::int64_t now = 1'800'000'000'000'000'000;
    Clock clock = Clock::system();
    clock.realtime_ns = [&] { return now; };
    {
        auto log = place.open({}, nullptr, sign_with(test::device_key()), clock).value();
        test::fill(*log, 3);
        now += 86'399'000'000'000;
        test::fill(*log, 1);
        EXPECT_TRUE(log->flush());
        EXPECT_EQ(place.segments().size(), 1U);
        now += 1'000'000'000;
        test::fill(*log, 1);
    }
    EXPECT_EQ(place.segments().size(), 2U);
    EXPECT_TRUE(place.verify().ok()) << place.verify().text();
}

TEST(Log, WritesCheckpointsByCountAndOnDemand) {
    const Place place;
    {
        auto log = place.open({.checkpoint_records = 100}).value();
        test::fill(*log, 1000);
        ASSERT_TRUE(log->checkpoint());
    }
    const VerifyReport report = place.verify();
    EXPECT_TRUE(report.ok()) << report.text();
    EXPECT_EQ(report.checkpoints, 13U);  // opening, ten by count, one asked for, closing
}

TEST(Log, CheckpointsAfterATimeOfActivity) {
    const Place place;
    auto log = place.open({.checkpoint_interval = std::chrono::seconds(1)}).value();
    test::fill(*log, 1);
    const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(30);
    // The record, and then a checkpoint that nobody asked for.
    while (log->position().seq < 3 && std::chrono::steady_clock::now() < deadline) std::this_thread::yield();
    ASSERT_TRUE(log->flush());
    const auto lines = test::lines_of(place.text());
    ASSERT_EQ(lines.size(), 3U);
    EXPECT_EQ(text_member(*member(lines[2], "details"), "reason"), "interval");
}

// A clock that nobody has set yet: the log goes on, and what would vouch for the time is not signed.
TEST(Log, SignsNothingWithAClockBefore2025) {
    constexpr std::int64_t kSecond = 1'000'000'000, kYear2025 = 1'735'689'600;
    for (const std::int64_t seconds : {std::int64_t{0}, kYear2025 - 1, kYear2025}) {
        const Place place;
        Clock clock = Clock::system();
        clock.realtime_ns = [&] { return seconds * kSecond; };
        {
            auto log = place.open({}, nullptr, sign_with(test::device_key()), clock).value();
            test::fill(*log, 10);
            ASSERT_TRUE(log->checkpoint());
        }
        const bool valid = seconds == kYear2025;
        const VerifyReport report = place.verify();
        EXPECT_TRUE(report.ok()) << report.text();
        EXPECT_EQ(report.records, 13U);
        EXPECT_EQ(report.unsigned_checkpoints, valid ? 0U : 3U);
        EXPECT_EQ(place.text().find(R"("unsigned":"clock_invalid")") == std::string::npos, valid);
        EXPECT_EQ(std::filesystem::exists(place.state / "audit-checkpoint.jws"), valid);
    }
    EXPECT_FALSE(sign_with(test::device_key())("{}")) << "no time at all";
}

// The clock is set while the log runs: from then on checkpoints are signed, over all that came before.
TEST(Log, SignsAgainOnceTheClockIsSet) {
    const Place place;
    std::atomic<std::int64_t> now = 0;
    Clock clock = Clock::system();
    clock.realtime_ns = [&] { return now.load(); };
    {
        auto log = place.open({}, nullptr, sign_with(test::device_key()), clock).value();
        test::fill(*log, 10);
        ASSERT_TRUE(log->checkpoint());
        now = 1'800'000'000'000'000'000;
        ASSERT_TRUE(log->checkpoint());
    }
    const VerifyReport report = place.verify();
    EXPECT_TRUE(report.ok()) << report.text();
    EXPECT_GT(report.unsigned_checkpoints, 0U);
    EXPECT_GT(report.signatures_checked, 0U);
}

std::vector<Record> many(std::vector<std::string>& names) {
    std::vector<Record> records;
    for (std::size_t i = 0; i < names.size(); ++i)
        records.push_back(test::file_read(names[i], static_cast<int>(i)));
    return records;
}

// More at once than the bound takes, and nothing is wrong with the disk: the record says so.
TEST(Log, WhatIsLostToTheBoundAloneIsNotAnOutage) {
    const Place place;
    std::vector<std::string> names(1000);
    std::size_t taken = 0;
    {
        auto log = place.open({.memory = 20'000}).value();
        taken = log->append(many(names));
        EXPECT_LT(taken, names.size());
        ASSERT_TRUE(log->flush());
        EXPECT_TRUE(log->append(many(names).front()));
        EXPECT_EQ(log->statistics().lost, names.size() - taken);
    }
    const VerifyReport report = place.verify();
    EXPECT_TRUE(report.ok()) << report.text();
    EXPECT_EQ(report.gaps, 1U);
    EXPECT_EQ(report.lost, names.size() - taken);
    EXPECT_NE(place.text().find(R"("reason":"log_slow")"), std::string::npos);
    EXPECT_EQ(place.text().find("log_unwritable"), std::string::npos);
}

TEST(Log, WhatIsOfferedAndNotTakenIsNotLost) {
    const Place place;
    std::vector<std::string> names(1000);
    const auto records = many(names);
    {
        auto log = place.open({.memory = 20'000}).value();
        std::span<const Record> rest(records);
        for (int turns = 0; !rest.empty(); ++turns) {
            ASSERT_LT(turns, 1000);
            const std::size_t taken = log->offer(rest);
            EXPECT_TRUE(turns > 0 || taken < rest.size());
            rest = rest.subspan(taken);
            ASSERT_TRUE(log->flush());
        }
        EXPECT_EQ(log->statistics().lost, 0U);
    }
    const VerifyReport report = place.verify();
    EXPECT_TRUE(report.ok()) << report.text();
    EXPECT_EQ(report.gaps, 0U);
    EXPECT_EQ(report.records, names.size() + 2);
}

TEST(Log, SaysThatACheckpointIsNotSigned) {
    const Place place;
    const Sign refuse = [](const std::string&) -> platform::Result<std::string> {
        return platform::error("sign", "", "clock_invalid");
    };
    { auto log = place.open({}, nullptr, refuse).value(); }
    const VerifyReport report = place.verify();
    EXPECT_TRUE(report.ok()) << report.text();
    EXPECT_EQ(report.unsigned_checkpoints, 2U);
    EXPECT_NE(place.text().find(R"("unsigned":"clock_invalid")"), std::string::npos);
}

TEST(Log, ARecordOverTheBoundIsAGapRecord) {
    const Place place;
    {
        auto log = place.open().value();
        const std::string huge(2 * kMaxLine, 'x');
        EXPECT_TRUE(log->append(Record{.action = Action::kFileRead, .resource = huge}));
    }
    const VerifyReport report = place.verify();
    EXPECT_TRUE(report.ok()) << report.text();
    EXPECT_EQ(report.gaps, 1U);
    EXPECT_EQ(report.lost, 1U);
}

TEST(Log, TakesRecordsFromManyThreadsAndKeepsTheOrderOfEach) {
    const Place place;
    constexpr int kThreads = 4, kBatches = 200, kBatch = 10;
    {
        auto log = place.open({.segment_size = 200'000, .checkpoint_records = 500}).value();
        std::vector<std::thread> threads;
        for (int t = 0; t < kThreads; ++t) {
            threads.emplace_back([&, t] {
                const SessionContext session({.session = "s" + std::to_string(t)});
                for (int b = 0; b < kBatches; ++b) {
                    std::vector<std::string> names(kBatch);
                    std::vector<Record> records;
                    for (int i = 0; i < kBatch; ++i) {
                        records.push_back(
                            test::file_read(names[static_cast<std::size_t>(i)], b * kBatch + i));
                        records.back().session = &session;
                    }
                    EXPECT_EQ(log->append(records), records.size());
                    if (b % 50 == 0) {
                        ASSERT_TRUE(log->flush());
                    }
                    const Position before = log->position();
                    EXPECT_GE(log->statistics().appended, before.seq);
                }
            });
        }
        for (auto& thread : threads) thread.join();
    }
    const VerifyReport report = place.verify();
    ASSERT_TRUE(report.ok()) << report.text();
    std::vector<int> next(kThreads, 0);
    for (const std::string& line : test::lines_of(place.text())) {
        const auto session = text_member(line, "session");
        if (!session) continue;
        int& expected = next[static_cast<std::size_t>(session->at(1) - '0')];
        EXPECT_EQ(text_member(line, "resource"), "/home/alice/file-" + std::to_string(expected++));
    }
    for (const int count : next) EXPECT_EQ(count, kBatches * kBatch);
}

}  // namespace
}  // namespace reeve::audit
