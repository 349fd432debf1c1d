// Reports of keeper and veil as records: what each says, who did it, and exact counts.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <cerrno>
#include <fstream>
#include <sstream>

#include "daemon/audit/chain.hpp"
#include "tests/unit/daemon/audit/keeping_sink.hpp"
#include "tests/unit/daemon/audit/samples.hpp"

namespace reeve::audit {
namespace {

using access::Report;
using nlohmann::json;
using policy::FileAction;
using policy::Verdict;
using testing::SizeIs;

constexpr pid_t kGone = 0x7fff'fff0;  // more than a process number can be
constexpr std::uint64_t kMillisecond = 1'000'000;

std::uint64_t monotonic_ns() {
    timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return static_cast<std::uint64_t>(time.tv_sec) * 1'000'000'000 + static_cast<std::uint64_t>(time.tv_nsec);
}

Report by_git(FileAction action, std::string_view operation, std::string_view path) {
    return {.pid = kGone,
            .start_ns = 81'230'000'000,
            .parent = 4702,
            .exe = "/usr/bin/git",
            .action = action,
            .verdict = Verdict::allow,
            .by_rule = true,
            .operation = operation,
            .path = path,
            .rule = "vendor/workspace"};
}

Report denied(Report report, int error, std::string_view rule) {
    report.verdict = Verdict::deny;
    report.error = error;
    report.rule = rule;
    return report;
}

class Reports : public ::testing::Test {
  protected:
    void take(std::initializer_list<Report> reports) {
        pipeline_.take(session_, std::span(reports.begin(), reports.size()));
        EXPECT_TRUE(session_->counts.exact());
    }
    std::vector<json> records() {
        EXPECT_TRUE(pipeline_.flush(Pipeline::Flush::kAll));
        const Counts& counts = session_->counts;
        EXPECT_TRUE(counts.exact());
        EXPECT_EQ(counts.waiting, 0U);
        EXPECT_EQ(sink_.accesses(), counts.recorded + counts.coalesced - counts.joined);
        return sink_.records();
    }
    json record(const Report& report) {
        take({report});
        return records().back();
    }

    test::KeepingSink sink_;
    std::shared_ptr<WatchedSession> session_ =
        std::make_shared<WatchedSession>(std::make_shared<const SessionContext>(SessionFacts{}));
    Pipeline pipeline_{sink_};
};

TEST_F(Reports, OutcomesTellPolicyFromTheKernel) {
    const Report create = by_git(FileAction::create, "open", "/w/a");
    const auto outcome = [&](Verdict verdict, int error, bool decided = true) {
        Report report = create;
        report.verdict = verdict;
        report.error = error;
        report.decided = decided;
        const json made = record(report);
        return made["outcome"].get<std::string>() + " " + made["details"].value("errno", "");
    };
    EXPECT_EQ(outcome(Verdict::allow, 0), "allowed ");
    EXPECT_EQ(outcome(Verdict::allow, EACCES), "failed EACCES");
    EXPECT_EQ(outcome(Verdict::allow, EEXIST), "failed EEXIST");
    EXPECT_EQ(outcome(Verdict::deny, EACCES), "denied ");
    EXPECT_EQ(outcome(Verdict::ask, EACCES), "denied ");
    EXPECT_EQ(outcome(Verdict::deny, ENOENT), "denied ENOENT");
    EXPECT_EQ(outcome(Verdict::deny, EXDEV), "denied EXDEV");
    EXPECT_EQ(outcome(Verdict::deny, EIO), "failed EIO");
    EXPECT_EQ(outcome(Verdict::deny, 0), "allowed ") << "a policy that only observes";
    EXPECT_EQ(outcome(Verdict::deny, EACCES, false), "failed EACCES");
}

TEST_F(Reports, RepeatsAndCountsAddUp) {
    Report list = by_git(FileAction::list, "getdents", "/w");
    list.count = 40;
    const Report read = by_git(FileAction::read, "open", "/w/a");
    take({list, read, list, read, read});
    const auto made = records();
    ASSERT_THAT(made, SizeIs(2));
    EXPECT_EQ(made[0]["count"], 80);
    EXPECT_EQ(made[0]["resource_type"], "directory");
    EXPECT_EQ(made[1]["count"], 3);
    EXPECT_EQ(session_->counts.seen, 83U);
    EXPECT_EQ(session_->counts.recorded, 2U);
    EXPECT_EQ(session_->counts.coalesced, 81U);
}

TEST_F(Reports, WhatDiffersIsARecordOfItsOwn) {
    const Report open = by_git(FileAction::write, "open", "/w/a");
    Report truncate = open, failed = open, renamed = by_git(FileAction::rename, "rename", "/w/a");
    truncate.operation = "truncate";
    failed.error = EROFS;
    renamed.target = "/w/b";
    Report elsewhere = renamed;
    elsewhere.target = "/w/c";
    take({open, truncate, failed, renamed, elsewhere});
    EXPECT_THAT(records(), SizeIs(5));
}

TEST_F(Reports, AProcessThatIsGoneIsKnownFromItsReport) {
    const json made = record(by_git(FileAction::create, "open", "/w/a"));
    EXPECT_EQ(made["actor"]["process"], json::parse(R"({"pid":2147483632,"start_ns":81230000000,)"
                                                    R"("exe":"/usr/bin/git","parent":4702})"));
    EXPECT_FALSE(made["details"].contains("process"));
    Report nobody = by_git(FileAction::read, "open", "/w/b");
    nobody.pid = 0;
    EXPECT_FALSE(record(nobody).contains("actor"));
}

// It has run another program since, or its number is another's.
TEST_F(Reports, TheProgramIsThatOfTheMoment) {
    Report first = by_git(FileAction::read, "open", "/w/a"), second = first, third = first;
    second.exe = "/usr/bin/ssh";
    third.start_ns += kMillisecond;
    take({first, second, first, third, first});
    std::vector<std::string> who;
    for (const json& made : records()) {
        const json& process = made["actor"]["process"];
        who.push_back(process["exe"].get<std::string>() + " " + process["start_ns"].dump() + " x" +
                      made["count"].dump());
    }
    EXPECT_THAT(who, testing::ElementsAre("/usr/bin/git 81230000000 x2", "/usr/bin/ssh 81230000000 x1",
                                          "/usr/bin/git 81231000000 x1", "/usr/bin/git 81230000000 x1"));
}

TEST_F(Reports, AProcessThatIsGoneEndsOnceAndAfterItsReports) {
    const std::size_t queue = session_->processes.add_queue().value();
    take({by_git(FileAction::create, "open", "/w/a")});
    pipeline_.drained(session_, 0);
    session_->processes.drained_late(queue, monotonic_ns());
    EXPECT_TRUE(session_->processes.unsettled()) << "a report may be on its way";
    session_->processes.turn_begins();
    pipeline_.drained(session_, 0);
    session_->processes.drained_late(queue, monotonic_ns() + Processes::kReportLag);
    session_->processes.drained_late(queue, monotonic_ns() + 2 * Processes::kReportLag);
    EXPECT_FALSE(session_->processes.unsettled());
    pipeline_.take_ends(session_);
    const auto made = records();
    ASSERT_THAT(made, SizeIs(2));
    EXPECT_EQ(made[1]["action"], "process.end");
    EXPECT_EQ(made[1]["resource"], "/usr/bin/git");
}

TEST_F(Reports, TimesAreTheReportsWithinTheSession) {
    session_->began_ns = monotonic_ns() - 500 * kMillisecond;
    const auto told = [&](std::uint64_t time) {
        Report report = by_git(FileAction::read, "open", "/w/a");
        report.error = ENOENT;  // what is never joined
        const std::string path = "/w/" + std::to_string(time);
        report.path = path;
        report.monotonic_ns = time;
        return record(report)["monotonic_ns"].get<std::uint64_t>();
    };
    const std::uint64_t now = monotonic_ns();
    EXPECT_EQ(told(now - 100 * kMillisecond), now - 100 * kMillisecond);
    EXPECT_EQ(told(1), session_->began_ns);
    EXPECT_LT(told(now + 3'600'000 * kMillisecond), now + 60'000 * kMillisecond);
    EXPECT_GE(told(0), now);
}

TEST_F(Reports, DenialsAreKeptWithTheirRule) {
    Report denial = denied(by_git(FileAction::rename, "rename", "/w/x"), EACCES, "vendor/agent-settings");
    denial.target = "/w/.mcp.json";
    take({by_git(FileAction::create, "open", "/w/x"), denial, denial});
    take({denied(by_git(FileAction::create, "open", "/w/y"), EIO, "r")});
    const auto kept = session_->denials.since(0);
    ASSERT_THAT(kept, SizeIs(1));
    EXPECT_EQ(kept[0].action, Action::kFileRename);
    EXPECT_EQ(kept[0].target, "/w/.mcp.json");
    EXPECT_EQ(kept[0].rule, "vendor/agent-settings");
    EXPECT_NE(kept[0].realtime_ns, 0);
}

// Long paths take the room of many short ones.
TEST_F(Reports, WhatWaitsIsBoundedInBytes) {
    const std::string prefix = "/" + std::string(4000, 'x');
    sink_.full = true;
    std::size_t taken = 0;
    for (; pipeline_.has_room(); ++taken) {
        const std::string path = prefix + std::to_string(taken);
        take({by_git(FileAction::create, "open", path)});
    }
    EXPECT_LT(taken, 5000U);
    EXPECT_GT(taken, 4000U);
    sink_.full = false;
    EXPECT_THAT(records(), SizeIs(taken));
    EXPECT_TRUE(pipeline_.has_room());
}

TEST(Denials, TheOldestGivesWayAndARepeatIsTheNewest) {
    Denials denials;
    for (std::size_t i = 0; i < Denials::kMost + 10; ++i)
        denials.add({.action = Action::kFileRead, .resource = "/" + std::to_string(i), .rule = "r"});
    EXPECT_EQ(denials.since(0).size(), Denials::kMost);
    EXPECT_EQ(denials.since(0).front().resource, "/10");
    denials.add({.action = Action::kFileRead, .resource = "/10", .rule = "r"});
    const auto all = denials.since(0);
    EXPECT_EQ(all.size(), Denials::kMost);
    EXPECT_EQ(all.back().resource, "/10");
    EXPECT_EQ(all.back().count, 2U);
    EXPECT_EQ(denials.since(all.back().number - 1).size(), 1U);
    EXPECT_TRUE(denials.since(all.back().number).empty());
}

// Each as the log writes it, against a file that is only ever changed on purpose.
class GoldenSink final : public Sink {
  public:
    std::size_t append(std::span<const Record> records) override {
        for (Record record : records) {
            record.realtime_ns = 1'795'460'531'483'920'000;
            record.monotonic_ns = 81'233'920'011;
            Buffer buffer;
            encoder_.encode(record, ++seq_, buffer);
            text += std::string(buffer.text()) + ",\"chain\":\"" + hex(chain_.add(buffer.text())) + "\"}\n";
        }
        return records.size();
    }
    std::uint64_t last_seq() const override { return seq_; }
    std::string text;

  private:
    Encoder encoder_{"b4a1", {}};
    Chain chain_;
    std::uint64_t seq_ = 0;
};

std::vector<Report> golden_reports() {
    Report moved =
        denied(by_git(FileAction::rename, "rename", "/home/alice/work/x"), EACCES, "vendor/agent-settings");
    moved.target = "/home/alice/work/.mcp.json";
    Report tree =
        denied(by_git(FileAction::rename, "rename", "/home/alice/work/d"), EXDEV, "vendor/git-hooks");
    tree.directory = true;
    tree.target = "/home/alice/work/.git";
    Report hidden = denied(by_git(FileAction::read, "open", "/home/alice/.netrc"), ENOENT, "");
    hidden.by_rule = false;
    hidden.verdict = Verdict::ask;
    hidden.count = 3;
    Report canary =
        denied(by_git(FileAction::read, "open", "/home/alice/.ssh/id_ed25519"), EACCES, "vendor/canaries");
    canary.canary = true;
    Report link = by_git(FileAction::create, "symlink", "/home/alice/work/caf\xe9");
    link.target = "../\xff";
    Report exists = by_git(FileAction::create, "mkdir", "/home/alice/work/d");
    exists.directory = true;
    exists.error = EEXIST;
    Report free = by_git(FileAction::attributes, "chmod", "/home/alice/work");
    free.directory = true;
    free.decided = false;
    Report observed = denied(by_git(FileAction::remove, "unlink", "/home/alice/work/.env"), 0, "vendor/env");
    Report strange = by_git(FileAction::execute, "exec", "/home/alice/work/run");
    strange.error = 4095;
    return {by_git(FileAction::create, "open", "/home/alice/work/a"),
            by_git(FileAction::link, "link", "/home/alice/work/a"),
            moved,
            tree,
            hidden,
            canary,
            link,
            exists,
            free,
            observed,
            strange};
}

TEST(GoldenReports, ALineForEachKind) {
    GoldenSink sink;
    Pipeline pipeline(sink);
    const auto session =
        std::make_shared<WatchedSession>(std::make_shared<const SessionContext>(test::Samples::facts()));
    pipeline.take(session, golden_reports());
    ASSERT_TRUE(pipeline.flush(Pipeline::Flush::kAll));
    std::ostringstream golden;
    golden << std::ifstream(REEVE_GOLDEN_REPORTS).rdbuf();
    EXPECT_TRUE(sink.text == golden.str()) << sink.text;
}

}  // namespace
}  // namespace reeve::audit
