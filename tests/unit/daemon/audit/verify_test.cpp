// What an attacker with write access to the files can do to a log, and how verification names it.
#include "daemon/audit/verify.hpp"

#include <gtest/gtest.h>

#include "attestation/jose/jws.hpp"
#include "daemon/audit/checkpoint.hpp"
#include "daemon/audit/line.hpp"
#include "daemon/audit/segment.hpp"
#include "tests/unit/daemon/audit/support.hpp"

namespace reeve::audit {
namespace {

using test::lines_of;
using test::Place;
using test::read_file;
using test::write_file;

// A log of several segments, with its files as text.
class Tampered : public ::testing::Test {
  protected:
    void SetUp() override {
        auto log = place_.open({.segment_size = 6000}).value();
        test::fill(*log, 60);
        log.reset();
        ASSERT_TRUE(place_.verify().ok()) << place_.verify().text();
        files_ = place_.segments();
        ASSERT_GE(files_.size(), 4U);
    }
    std::vector<std::string> lines(std::size_t segment) const { return lines_of(read_file(files_[segment])); }
    void write(std::size_t segment, const std::vector<std::string>& lines) {
        std::string text;
        for (const std::string& line : lines) text += line;
        write_file(files_[segment], text);
    }
    static std::uint64_t seq(const std::string& line) { return seq_of_start(line).value_or(0); }
    void expect(Problem problem, std::size_t segment, std::uint64_t line, std::uint64_t seq) {
        const VerifyReport report = place_.verify();
        EXPECT_EQ(word(report.problem), word(problem)) << report.text();
        EXPECT_EQ(report.file, files_[segment].filename().string()) << report.text();
        EXPECT_EQ(report.line, line) << report.text();
        EXPECT_EQ(report.seq, seq) << report.text();
    }

    const Place place_;
    std::vector<std::filesystem::path> files_;
};

TEST_F(Tampered, OneFlippedBitAtEachByteOfARecord) {
    const auto whole = lines(1);
    for (std::size_t at = 0; at < whole[3].size(); ++at) {
        auto changed = whole;
        changed[3][at] = static_cast<char>(changed[3][at] ^ 1);
        write(1, changed);
        const VerifyReport report = place_.verify();
        ASSERT_FALSE(report.ok()) << at;
        EXPECT_EQ(report.file, files_[1].filename().string()) << at;
        EXPECT_EQ(report.line, 4U) << at << ": " << report.text();
    }
    auto changed = whole;
    changed[3][changed[3].find("file-")] = 'F';
    write(1, changed);
    expect(Problem::kChainBroken, 1, 4, seq(whole[3]));
}

TEST_F(Tampered, ARemovedLine) {
    auto changed = lines(1);
    const std::uint64_t next = seq(changed[4]);
    changed.erase(changed.begin() + 3);
    write(1, changed);
    expect(Problem::kSeqNotConsecutive, 1, 4, next);
}

TEST_F(Tampered, SwappedLines) {
    auto changed = lines(2);
    std::swap(changed[2], changed[3]);
    write(2, changed);
    expect(Problem::kSeqNotConsecutive, 2, 3, seq(changed[2]));
}

TEST_F(Tampered, AnInsertedLine) {
    auto changed = lines(1);
    changed.insert(changed.begin() + 3, changed[2]);
    write(1, changed);
    expect(Problem::kSeqNotConsecutive, 1, 4, seq(changed[2]));
}

TEST_F(Tampered, AnInsertedLineWhoseNumbersFit) {
    // The inserted record takes the next seq and chains well; the record that it pushes aside is out of
    // place.
    auto changed = lines(1);
    const auto before = parse_line(std::string_view(changed[2]).substr(0, changed[2].size() - 1)).value();
    std::string body = "{\"schema\":\"reeve.audit/1\",\"seq\":" + std::to_string(before.seq + 1) +
                       ",\"action\":\"file.read\"";
    Chain chain(before.chain);
    chain.add(body);
    changed.insert(changed.begin() + 3, body + ",\"chain\":\"" + hex(chain.value()) + "\"}\n");
    write(1, changed);
    expect(Problem::kSeqNotConsecutive, 1, 5, before.seq + 1);
}

TEST_F(Tampered, ACutTail) {
    auto changed = lines(files_.size() - 1);
    changed.pop_back();
    write(files_.size() - 1, changed);
    expect(Problem::kTailCut, files_.size() - 1, changed.size() + 1, seq(changed.back()) + 1);
    // Without a checkpoint from elsewhere nobody can know.
    std::filesystem::remove(place_.state / "audit-checkpoint.jws");
    EXPECT_TRUE(place_.verify().ok());
}

TEST_F(Tampered, ACutTailAcrossSegments) {
    std::filesystem::remove(files_.back());
    const auto last = lines(files_.size() - 2);
    expect(Problem::kTailCut, files_.size() - 2, last.size() + 1, seq(last.back()) + 1);
}

TEST_F(Tampered, ATornTailWhereNoWriterIs) {
    auto changed = lines(files_.size() - 1);
    changed.push_back("{\"schema\":\"reeve.audit/1\",");
    write(files_.size() - 1, changed);
    expect(Problem::kTornLine, files_.size() - 1, changed.size(), seq(changed[changed.size() - 2]) + 1);
}

TEST_F(Tampered, AMissingSegment) {
    std::filesystem::remove(files_[1]);
    expect(Problem::kSeqNotConsecutive, 2, 1, seq(lines(2).front()));
}

TEST_F(Tampered, AMissingFirstSegment) {
    std::filesystem::remove(files_[0]);
    const VerifyReport report = place_.verify();
    EXPECT_EQ(report.problem, Problem::kStartMissing) << report.text();
    EXPECT_EQ(report.seq, seq(lines(1).front()) - 1);
}

TEST_F(Tampered, ADuplicatedSegment) {
    write_file(place_.log / "audit-99999999999999999999-copy.jsonl", read_file(files_[1]));
    const VerifyReport report = place_.verify();
    EXPECT_EQ(report.problem, Problem::kSeqNotConsecutive) << report.text();
    EXPECT_EQ(report.line, 1U);
    EXPECT_EQ(report.seq, seq(lines(1).front()));
}

TEST_F(Tampered, NamesAreNotBelieved) {
    for (std::size_t i = 0; i < files_.size(); ++i) {
        std::filesystem::rename(files_[i],
                                place_.log / ("audit-" + std::to_string(files_.size() - i) + ".jsonl"));
    }
    EXPECT_TRUE(place_.verify().ok()) << place_.verify().text();
}

TEST_F(Tampered, AnOlderStateOfASegmentIsRestored) {
    // Of the last segment, and of one in the middle: as they were before the last records came.
    auto changed = lines(1);
    changed.resize(changed.size() - 2);
    const std::string middle = read_file(files_[1]);
    write(1, changed);
    expect(Problem::kSeqNotConsecutive, 2, 1, seq(lines(2).front()));
    write_file(files_[1], middle);
    ASSERT_TRUE(place_.verify().ok());

    const Place& place = place_;
    const std::string before = read_file(files_.back());
    {
        auto log = place.open().value();
        test::fill(*log, 3);
    }
    write_file(files_.back(), before);
    EXPECT_EQ(place.verify().problem, Problem::kTailCut) << place.verify().text();
}

TEST_F(Tampered, ARewrittenTailDoesNotFitTheStoredCheckpoint) {
    // Everything from one record on is made anew with right chain values; no key is at hand.
    const std::size_t last = files_.size() - 1;
    auto changed = lines(last);
    ASSERT_GE(changed.size(), 3U);
    auto at = parse_line(std::string_view(changed[0]).substr(0, changed[0].size() - 1)).value();
    Chain chain(at.chain);
    for (std::size_t i = 1; i < changed.size(); ++i) {
        const auto old = parse_line(std::string_view(changed[i]).substr(0, changed[i].size() - 1)).value();
        std::string body(old.body);
        if (i == 1) body.replace(body.find("file-"), 5, "FILE-");
        chain.add(body);
        changed[i] = body + ",\"chain\":\"" + hex(chain.value()) + "\"}\n";
    }
    write(last, changed);
    const VerifyReport report = place_.verify();
    EXPECT_EQ(report.problem, Problem::kWrongCheckpoint) << report.text();
}

TEST_F(Tampered, ACheckpointOfAnotherKeyOrKindIsRefused) {
    const auto other = attestation::MemoryKey::generate(attestation::jose::Algorithm::kEs256).value();
    const auto directory = open_directory(place_.log.string()).value();
    VerifyOptions options{.check = check_with(other->public_key())};
    VerifyReport report = verify(directory.get(), options).value();
    EXPECT_EQ(report.problem, Problem::kBadSignature) << report.text();
    EXPECT_EQ(report.line, 1U);
    EXPECT_EQ(report.seq, 1U);

    // Signed by the device key, but as evidence: the payload alone does not make a checkpoint.
    const std::string payload =
        checkpoint_payload({.seq = 1, .time = 1, .previous_checkpoint = {}, .removed_through = {}});
    options.check = check_with(test::device_key()->public_key());
    options.checkpoint = attestation::jose::sign_compact({.type = "reeve-evidence+jwt", .key_id = ""},
                                                         payload, *test::device_key())
                             .value();
    report = verify(directory.get(), options).value();
    EXPECT_EQ(report.problem, Problem::kBadSignature) << report.text();
}

TEST_F(Tampered, WithoutAKeyTheReportSaysThatNothingWasChecked) {
    const auto directory = open_directory(place_.log.string()).value();
    const VerifyReport report = verify(directory.get(), {}).value();
    EXPECT_TRUE(report.ok());
    EXPECT_GT(report.checkpoints, 4U);
    EXPECT_EQ(report.signatures_checked, 0U);
}

TEST_F(Tampered, ChainThatIsNotTheLastMember) {
    auto changed = lines(1);
    std::string& line = changed[2];
    line.insert(line.size() - 2, ",\"note\":1");
    write(1, changed);
    expect(Problem::kChainNotLast, 1, 3, seq(changed[2]));
}

TEST_F(Tampered, ALineThatIsTooLong) {
    auto changed = lines(1);
    changed[2] = std::string(3 * kMaxLine, 'x') + "\n";
    write(1, changed);
    expect(Problem::kNotARecord, 1, 3, seq(changed[1]) + 1);
}

TEST(Verify, ALiveLogMayEndInAnUnfinishedLine) {
    const Place place;
    const auto log = place.open().value();
    ASSERT_TRUE(log->flush());
    write_file(place.segments().at(0), read_file(place.segments().at(0)) + "{\"schema\":");
    const VerifyReport report = place.verify();
    EXPECT_TRUE(report.live);
    EXPECT_TRUE(report.ok()) << report.text();
}

TEST(Verify, SumsWhatWasSeenRecordedAndCoalesced) {
    const Place place;
    {
        auto log = place.open().value();
        const Detail details[] = {
            {"seen", std::uint64_t{10}}, {"recorded", std::uint64_t{7}}, {"coalesced", std::uint64_t{3}}};
        for (int i = 0; i < 2; ++i) log->append({.action = Action::kSessionEnd, .details = details});
    }
    const VerifyReport report = place.verify();
    EXPECT_EQ(report.seen, 20U);
    EXPECT_EQ(report.recorded, 14U);
    EXPECT_EQ(report.coalesced, 6U);
}

}  // namespace
}  // namespace reeve::audit
