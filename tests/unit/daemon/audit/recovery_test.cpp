// A writer that died: what is found at the next start is written down, and the log verifies.
#include <gtest/gtest.h>

#include "daemon/audit/line.hpp"
#include "daemon/audit/log.hpp"
#include "daemon/audit/text.hpp"
#include "tests/unit/daemon/audit/support.hpp"

namespace reeve::audit {
namespace {

using test::Place;

std::vector<std::string> gap_reasons(const std::string& text) {
    std::vector<std::string> reasons;
    for (const std::string& line : test::lines_of(text)) {
        if (text_member(line, "action") != "audit.gap") continue;
        reasons.push_back(text_member(*member(line, "details"), "reason").value_or(""));
    }
    return reasons;
}

// Each place at which the last two records can have been torn. The stored checkpoint is the one of before
// them, as after a crash.
TEST(Recovery, TornAtEachByteOfTheLastTwoRecords) {
    const Place place;
    std::filesystem::path segment;
    {
        auto log = place.open().value();
        test::fill(*log, 5);
        ASSERT_TRUE(log->flush());
        segment = place.segments().at(0);
    }
    const std::string whole = test::read_file(segment);
    const auto lines = test::lines_of(whole);
    ASSERT_EQ(lines.size(), 7U);
    // Without the closing checkpoint, and with the checkpoint of the opening stored.
    const std::string crashed = whole.substr(0, whole.size() - lines.back().size());
    const std::string opening = *text_member(*member(lines[0], "details"), "jws");
    const std::size_t first = crashed.size() - lines[4].size() - lines[5].size();

    for (std::size_t size = first; size <= crashed.size(); ++size) {
        test::write_file(segment, crashed.substr(0, size));
        test::write_file(place.state / "audit-checkpoint.jws", opening);
        {
            auto log = place.open();
            ASSERT_TRUE(log) << log.error().text();
            test::fill(**log, 1);
        }
        const VerifyReport report = place.verify();
        ASSERT_TRUE(report.ok()) << size << ": " << report.text();
        const std::size_t newline = crashed.rfind('\n', size - 1) + 1;
        const std::string torn = crashed.substr(newline, size - newline);
        const std::string text = place.text();
        if (torn.empty()) {
            EXPECT_EQ(report.gaps, 0U) << size;
            continue;
        }
        ASSERT_EQ(gap_reasons(text), std::vector<std::string>{"torn_line"}) << size;
        EXPECT_NE(text.find("\"bytes_cut\":" + std::to_string(torn.size()) + ","), std::string::npos);
        EXPECT_NE(text.find("\"cut_b64\":\"" + base64(torn) + "\""), std::string::npos);
    }
}

TEST(Recovery, TornFirstLineOfANewSegment) {
    for (const std::size_t kept : {0U, 1U, 40U, 200U}) {
        const Place place;
        {
            auto log = place.open({.segment_size = 3000}).value();
            test::fill(*log, 10);
        }
        const auto segments = place.segments();
        ASSERT_GE(segments.size(), 2U);
        const std::string last = test::read_file(segments.back());
        const std::string opening =
            *text_member(*member(test::lines_of(test::read_file(segments[0]))[0], "details"), "jws");
        test::write_file(segments.back(), last.substr(0, kept));
        test::write_file(place.state / "audit-checkpoint.jws", opening);
        {
            auto log = place.open();
            ASSERT_TRUE(log) << log.error().text();
            test::fill(**log, 1);
        }
        const VerifyReport report = place.verify();
        EXPECT_TRUE(report.ok()) << kept << ": " << report.text();
        EXPECT_EQ(report.gaps, kept == 0 ? 0U : 1U) << kept;
    }
}

TEST(Recovery, ATornLineThatIsLongerThanItsGapRecord) {
    const Place place;
    { auto log = place.open().value(); }
    const auto segment = place.segments().at(0);
    test::write_file(segment, test::read_file(segment) + std::string(100'000, 'x'));
    { auto log = place.open().value(); }
    const VerifyReport report = place.verify();
    EXPECT_TRUE(report.ok()) << report.text();
    EXPECT_NE(place.text().find("\"bytes_cut\":100000,"), std::string::npos);
}

TEST(Recovery, ATailThatWasCutIsWrittenDown) {
    const Place place;
    {
        auto log = place.open().value();
        test::fill(*log, 100);
    }
    const auto segment = place.segments().at(0);
    const auto lines = test::lines_of(test::read_file(segment));
    std::string kept;
    for (std::size_t i = 0; i < 50; ++i) kept += lines[i];
    test::write_file(segment, kept);
    EXPECT_EQ(place.verify().problem, Problem::kTailCut);
    { auto log = place.open().value(); }
    EXPECT_EQ(gap_reasons(place.text()), std::vector<std::string>{"tail_cut"});
    EXPECT_NE(place.text().find(R"("missing_from":51,"missing_to":102,)"), std::string::npos);
    EXPECT_TRUE(place.verify().ok()) << place.verify().text();
}

TEST(Recovery, ALogThatIsGoneIsNotStartedAnew) {
    const Place place;
    {
        auto log = place.open().value();
        test::fill(*log, 100);
    }
    std::filesystem::remove(place.segments().at(0));
    EXPECT_EQ(place.verify().problem, Problem::kEmpty);
    { auto log = place.open().value(); }
    EXPECT_EQ(gap_reasons(place.text()), std::vector<std::string>{"tail_cut"});
    // Nobody can make this whole again, and nobody says that it is.
    EXPECT_EQ(place.verify().problem, Problem::kStartMissing);
}

TEST(Recovery, AStoredCheckpointThatIsGoneIsWrittenDown) {
    const Place place;
    { auto log = place.open().value(); }
    std::filesystem::remove(place.state / "audit-checkpoint.jws");
    { auto log = place.open().value(); }
    EXPECT_EQ(gap_reasons(place.text()), std::vector<std::string>{"checkpoint_lost"});
    EXPECT_TRUE(place.verify().ok()) << place.verify().text();
}

TEST(Recovery, ADamagedSegmentIsLeftAsEvidence) {
    const Place place;
    {
        auto log = place.open().value();
        test::fill(*log, 100);
    }
    const auto segment = place.segments().at(0);
    std::string text = test::read_file(segment);
    text[text.find("file-42")] = 'F';
    test::write_file(segment, text);
    {
        auto log = place.open().value();
        test::fill(*log, 10);
    }
    EXPECT_EQ(test::read_file(segment), text);
    EXPECT_EQ(place.segments().size(), 2U);
    EXPECT_EQ(gap_reasons(test::read_file(place.segments().at(1))), std::vector<std::string>{"damaged"});
    const VerifyReport report = place.verify();
    EXPECT_EQ(report.problem, Problem::kChainBroken);
    EXPECT_EQ(report.seq, 44U);
}

}  // namespace
}  // namespace reeve::audit
