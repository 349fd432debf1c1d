// What keeper and veil report, through the real watcher: sockets, real processes, and the kernel's own events of them.
#include <gmock/gmock.h>

#include <future>

#include "daemon/access/reporter.hpp"
#include "platform/linux/seqpacket.hpp"
#include "tests/integration/watch_harness.hpp"

namespace reeve::watch_test {
namespace {

using access::Report;
using policy::FileAction;
using testing::SizeIs;

// A process that runs sh in the zone, does what it is told to, and then waits to be let go.
class Told {
  public:
    Told() {
        int ends[2];
        EXPECT_EQ(pipe2(ends, O_CLOEXEC), 0);
        listen_.reset(ends[0]);
        tell_.reset(ends[1]);
    }
    std::function<int()> run(const fs::path& directory, const std::string& command) {
        return [this, directory, command] {
            dup2(listen_.get(), 0);
            if (chdir(directory.c_str()) != 0) return 125;
            const std::string script = command + "; read _";
            execl("/bin/sh", "sh", "-c", script.c_str(), nullptr);
            return 127;
        };
    }
    void let_go(pid_t pid) {
        tell_.reset();
        listen_.reset();
        EXPECT_EQ(waitpid(pid, nullptr, 0), pid);
    }

  private:
    Fd listen_, tell_;
};

class ReportsTest : public WatchTest {
  protected:
    void SetUp() override {
        WatchTest::SetUp();
        if (IsSkipped()) return;
        audit::WatcherOptions options;
        options.pipeline.window_ns = 60'000'000'000;  // a test ends before it does
        options.broken = [this](const std::string& session, const platform::Error& error) {
            if (!told_.exchange(true)) broken_.set_value(session + ": " + error.why);
        };
        watch_places({}, watch::Reports::kHandles, options);
        ASSERT_TRUE(watcher_->add_place("s", place(zone_)));
    }
    // Gives the source's end.
    Fd add_source(pid_t pid = 0) {
        auto pair = platform::seqpacket_pair();
        EXPECT_TRUE(pair);
        const auto added = watcher_->add_reports(
            "s", {.name = "reeve-keeper", .control = std::move(pair->ours), .pid = pid});
        EXPECT_TRUE(added) << added.error().text();
        return std::move(pair->theirs);
    }
    static Report of(pid_t pid, FileAction action, std::string_view operation, std::string_view path) {
        return {.pid = pid,
                .action = action,
                .verdict = policy::Verdict::allow,
                .by_rule = true,
                .operation = operation,
                .path = path,
                .rule = "vendor/workspace"};
    }
    static void send(const Fd& source, const Report& report) {
        access::Packet packet;
        ASSERT_TRUE(packet.append(report));
        ASSERT_TRUE(platform::send_packet(source.get(), packet.bytes()));
    }
    static void say_no_more(const Fd& source) {
        ASSERT_TRUE(platform::send_packet(source.get(), access::kNoMore));
    }
    void wait_for(const char* name) const {
        while (!fs::exists(folder_ / name)) poll(nullptr, 0, 2);
    }
    std::string broken() {
        auto told = broken_.get_future();
        EXPECT_EQ(told.wait_for(std::chrono::seconds(30)), std::future_status::ready);
        return told.get();
    }
    audit::Counts remove() {
        const auto counts = watcher_->remove("s");
        EXPECT_TRUE(counts) << counts.error().text();
        EXPECT_TRUE(counts->exact());
        EXPECT_EQ(sink_.accesses(), counts->recorded + counts->coalesced - counts->joined);
        return *counts;
    }
    std::vector<nlohmann::json> gaps() { return of_action(sink_.records(), "audit.gap"); }

    std::promise<std::string> broken_;  // of the first source that is
    std::atomic<bool> told_ = false;
};

TEST_F(ReportsTest, AFileThatIsMadeAndClosedIsOneRecordOfAKnownProcess) {
    const Fd keeper = add_source();
    Told told;
    const pid_t pid = start_confined({zone_}, told.run(zone_, "echo hello > made; touch ../done"));
    wait_for("done");
    const auto process = watch::look_up(pid);
    ASSERT_TRUE(process);
    const std::string path = zone_ / "made";
    Report report = of(pid, FileAction::create, "open", path);
    report.start_ns = process->start_ns;
    report.exe = process->exe;
    send(keeper, report);
    const auto made = drained();
    told.let_go(pid);
    EXPECT_THAT(of_action(made, "file.write"), SizeIs(0));
    const auto created = of_action(made, "file.create");
    ASSERT_THAT(created, SizeIs(1));
    EXPECT_EQ(created[0]["resource"], path);
    EXPECT_EQ(created[0]["count"], 1);
    EXPECT_EQ(created[0]["details"], nlohmann::json::parse(R"({"operation":"open","size":6})"));
    EXPECT_EQ(created[0]["policy_evaluation"]["rule"], "vendor/workspace");
    EXPECT_EQ(created[0]["actor"]["process"]["exe"], process->exe);
    EXPECT_EQ(counts_.joined, 1U);
}

// The file is still open when the report comes, and closed after that.
TEST_F(ReportsTest, AClosingThatComesLaterJoinsAsWell) {
    const Fd keeper = add_source();
    Told told;
    const pid_t pid = start_confined({zone_}, told.run(zone_,
                                                       "exec 3> made; echo hello >&3; touch ../open; "
                                                       "while [ ! -e ../close ]; do :; done; "
                                                       "exec 3>&-; touch ../done"));
    wait_for("open");
    const std::string path = zone_ / "made";
    send(keeper, of(pid, FileAction::create, "open", path));
    // sh opens nothing more in the zone by itself, so that the last that is seen is the report.
    std::uint64_t before = 0;
    while (before == 0 || before != watcher_->counts("s")->seen) {
        before = watcher_->counts("s")->seen;
        poll(nullptr, 0, 50);
    }
    std::ofstream(folder_ / "close") << "";
    wait_for("done");
    const auto made = drained();
    told.let_go(pid);
    const auto created = of_action(made, "file.create");
    ASSERT_THAT(created, SizeIs(1));
    EXPECT_EQ(created[0]["details"]["size"], 6);
    EXPECT_THAT(of_action(made, "file.write"), SizeIs(0));
}

// Without a report of its own, a closing says how large the file is by then.
TEST_F(ReportsTest, AWritingHasItsSize) {
    ASSERT_EQ(confined({zone_}, program({"sh", "-c", "echo hello > made"}, zone_)), 0);
    auto written = of_action(drained(), "file.write");
    ASSERT_THAT(written, SizeIs(1));
    written[0]["details"].erase("process");  // the shell may have ended before it was looked up
    EXPECT_EQ(written[0]["details"], nlohmann::json::parse(R"({"event":"close_write","size":6})"));
}

TEST_F(ReportsTest, WhatAReporterOpensIsNotTheSessionsDoing) {
    std::ofstream(zone_ / "file") << "x";
    Told told;
    const pid_t pid = start_confined({zone_}, told.run(zone_,
                                                       "while [ ! -e ../go ]; do :; done; "
                                                       "read x < file; touch ../done"));
    const Fd keeper = add_source(pid);
    std::ofstream(folder_ / "go") << "";
    wait_for("done");
    EXPECT_THAT(resources(drained(), "file.read"), SizeIs(0));
    EXPECT_GE(counts_.left_out, 1U);
    told.let_go(pid);
}

TEST_F(ReportsTest, WhatIsInTheSocketsAtTheEndIsRecorded) {
    Fd keeper = add_source(), veil = add_source();
    {
        access::Reporter first(std::move(keeper)), second(std::move(veil));
        for (int i = 0; i < 2000; ++i) {
            const std::string path = zone_ / std::to_string(i);
            ASSERT_TRUE(first.add(of(0, FileAction::create, "open", path)));
            ASSERT_TRUE(second.add(of(0, FileAction::read, "open", path)));
        }
    }
    const audit::Counts counts = remove();
    EXPECT_EQ(counts.recorded, 4000U);
    EXPECT_EQ(counts.gaps, 0U);
}

TEST_F(ReportsTest, OneThatEndsBeforeItHasToldAllIsAGap) {
    Fd keeper = add_source();
    send(keeper, of(0, FileAction::create, "open", "/w/last"));
    keeper.reset();
    EXPECT_EQ(broken(), "s: reeve-keeper is gone before it had told all");
    EXPECT_EQ(remove().recorded, 1U);
    ASSERT_THAT(gaps(), SizeIs(1));
    EXPECT_EQ(gaps()[0]["details"]["reason"], "reeve-keeper is gone before it had told all");
    EXPECT_LE(gaps()[0]["details"]["from_ns"], gaps()[0]["details"]["to_ns"]);
}

TEST_F(ReportsTest, OneThatHasNotToldAllAtTheEndIsAGap) {
    const Fd keeper = add_source(), veil = add_source();
    say_no_more(keeper);
    EXPECT_EQ(remove().gaps, 1U);
    EXPECT_EQ(gaps()[0]["details"]["reason"], "the session ended before reeve-keeper had told all");
}

TEST_F(ReportsTest, NonsenseAndDescriptorsAreRefused) {
    for (const bool descriptor : {false, true}) {
        broken_ = {};
        told_ = false;
        const Fd keeper = add_source();
        const std::array<int, 1> fds{keeper.get()};
        const std::string_view bytes = descriptor ? access::kNoMore.substr(0, 1) : "nonsense";
        ASSERT_TRUE(platform::send_packet(keeper.get(), bytes,
                                          descriptor ? std::span<const int>(fds) : std::span<const int>()));
        EXPECT_EQ(broken(), descriptor ? "s: reeve-keeper sent a descriptor"
                                       : "s: reeve-keeper sent what is no report: cut short");
    }
    EXPECT_EQ(remove().gaps, 2U);
}

// The log takes nothing: what is reported waits with who reports it, and is all there when it takes again.
TEST_F(ReportsTest, ALogThatTakesNothingMakesReportersWait) {
    sink_.full = true;
    std::atomic<std::uint64_t> taken = 0;
    constexpr std::uint64_t kReports = 60'000;
    auto reports = std::async(std::launch::async, [&, keeper = add_source()]() mutable {
        access::Reporter reporter(std::move(keeper), {.window = std::chrono::milliseconds(1), .packets = 2});
        for (std::uint64_t i = 0; i < kReports; ++i) {
            const std::string path = "/w/" + std::to_string(i);
            if (reporter.add(of(0, FileAction::create, "open", path))) ++taken;
        }
        return reporter.finish();
    });
    for (std::uint64_t before = 1; before != taken;) {  // it stands still
        before = taken;
        poll(nullptr, 0, 300);
    }
    EXPECT_LT(taken, kReports);
    sink_.full = false;
    EXPECT_TRUE(reports.get());
    const audit::Counts counts = remove();
    EXPECT_EQ(counts.seen, kReports);
    EXPECT_EQ(counts.recorded, kReports);
    EXPECT_EQ(counts.gaps, 0U);
}

TEST_F(ReportsTest, DenialsCanBeAskedFor) {
    const Fd keeper = add_source();
    Report denied = of(0, FileAction::create, "open", "/w/.mcp.json");
    denied.verdict = policy::Verdict::deny;
    denied.error = EACCES;
    send(keeper, denied);
    drained();
    const auto denials = watcher_->denials("s", 0);
    ASSERT_TRUE(denials);
    ASSERT_THAT(*denials, SizeIs(1));
    EXPECT_EQ(denials->front().resource, "/w/.mcp.json");
    EXPECT_THAT(*watcher_->denials("s", denials->front().number), SizeIs(0));
    EXPECT_FALSE(watcher_->denials("t", 0));
}

TEST_F(ReportsTest, SourcesAreOfAWatchedSessionAndFew) {
    auto pair = platform::seqpacket_pair();
    EXPECT_FALSE(watcher_->add_reports("t", {.name = "x", .control = std::move(pair->ours)}));
    const Fd first = add_source(), second = add_source(), third = add_source(), fourth = add_source(),
             fifth = add_source();
    pair = platform::seqpacket_pair();
    EXPECT_FALSE(watcher_->add_reports("s", {.name = "x", .control = std::move(pair->ours)}));
}

}  // namespace
}  // namespace reeve::watch_test
