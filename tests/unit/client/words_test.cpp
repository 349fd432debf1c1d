// What people type and what they are shown: times, tables, the command line.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <stdlib.h>
#include <CLI/App.hpp>
#include <CLI/Config.hpp>
#include <CLI/Formatter.hpp>

#include "client/app.hpp"
#include "client/run_loop.hpp"
#include "client/table.hpp"
#include "client/when.hpp"

namespace reeve::client {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

constexpr Seconds kNow{std::chrono::seconds(1'795'460'531)};  // 2026-11-23T19:02:11Z

class When : public testing::Test {
  protected:
    static void SetUpTestSuite() {
        ::setenv("TZ", "Europe/Berlin", 1);  // NOLINT(concurrency-mt-unsafe): before any thread
        ::tzset();
    }
    static std::string since(const std::string& text) { return parse_since(text, kNow).value_or("none"); }
};

TEST_F(When, DurationsCountBackFromNow) {
    EXPECT_EQ(rfc3339(kNow), "2026-11-23T19:02:11Z");
    EXPECT_EQ(since("0s"), "2026-11-23T19:02:11Z");
    EXPECT_EQ(since("10m"), "2026-11-23T18:52:11Z");
    EXPECT_EQ(since("2h"), "2026-11-23T17:02:11Z");
    EXPECT_EQ(since("3d"), "2026-11-20T19:02:11Z");
    EXPECT_EQ(since("1w"), "2026-11-16T19:02:11Z");
}

TEST_F(When, ADateIsItsStartHere) {
    EXPECT_EQ(since("2026-11-23"), "2026-11-22T23:00:00Z");
    EXPECT_EQ(since("2026-07-01"), "2026-06-30T22:00:00Z");
}

TEST_F(When, Rfc3339IsPassedOn) {
    EXPECT_EQ(since("2026-11-23T19:02:11.5+01:00"), "2026-11-23T19:02:11.5+01:00");
}

TEST_F(When, WhatIsNoTimeIsSaid) {
    for (const char* text :
         {"", "m", "10", "-1h", "1.5h", "10x", "10mm", "99999999999999999999s", "999999999d", "2026-13-01",
          "2026-02-30", "2026-1-1", "23.11.2026", "yesterday"}) {
        const auto time = parse_since(text, kNow);
        ASSERT_FALSE(time) << text;
        EXPECT_THAT(time.error().text(), HasSubstr("write 10m"));
    }
}

TEST_F(When, TimesAreShownInLocalTime) {
    EXPECT_EQ(local_time("2026-11-23T19:02:11.483920Z"), "2026-11-23 20:02:11");
    EXPECT_EQ(local_time("soon"), "soon");
}

TEST(Tables, AlignByCharactersAndEscapeWhatComesFromInside) {
    Table table({"A", "LONG", "LAST"});
    table.add({"\xC3\xA4\xC3\xB6", "x", "\x1b[31mred"});
    table.add({"b"});
    EXPECT_EQ(table.text(),
              "A   LONG  LAST\n"
              "\xC3\xA4\xC3\xB6  x     \\x1b[31mred\n"
              "b\n");
}

TEST(ExitCodes, AreAShells) {
    EXPECT_EQ(exit_code_of(7 << 8), 7);
    EXPECT_EQ(exit_code_of(0), 0);
    EXPECT_EQ(exit_code_of(SIGKILL), 137);
    EXPECT_EQ(exit_code_of(SIGSEGV | 0x80), 139);
}

class CommandLine : public testing::Test {
  protected:
    // The exit code, with what was said in `said_`; -1: there is an action.
    int read(std::vector<std::string> words) {
        invocation_ = {};
        const auto app = make_app(invocation_, all_families());
        testing::internal::CaptureStderr();
        testing::internal::CaptureStdout();
        const int code = read_line(*app, std::move(words), invocation_);
        printed_ = testing::internal::GetCapturedStdout();
        said_ = testing::internal::GetCapturedStderr();
        return code;
    }
    Invocation invocation_;
    std::string said_, printed_;
};

TEST_F(CommandLine, TheCommandOfRunIsLeftAsItIs) {
    EXPECT_EQ(read({"run", "ls", "-l", "--version"}), -1);
    EXPECT_THAT(invocation_.command, ElementsAre("ls", "-l", "--version"));
    EXPECT_EQ(read({"run", "--env", "A", "--env=B", "-v", "--", "-odd", "--", "x"}), -1);
    EXPECT_THAT(invocation_.command, ElementsAre("-odd", "--", "x"));
    EXPECT_EQ(read({"run", "--workspace", "run", "run", "--help"}), -1);
    EXPECT_THAT(invocation_.command, ElementsAre("run", "--help"));
}

TEST_F(CommandLine, RunWithoutACommandIsAMistake) {
    EXPECT_EQ(read({"run"}), kUsage);
    EXPECT_THAT(said_, HasSubstr("no command to run"));
    EXPECT_EQ(read({"run", "--"}), kUsage);
    EXPECT_EQ(read({"run", "--workspace"}), kUsage);
}

TEST_F(CommandLine, TheNearestWordIsOffered) {
    EXPECT_EQ(read({"polcy", "check", "x"}), kUsage);
    EXPECT_THAT(said_, HasSubstr("did you mean policy?"));
    EXPECT_EQ(read({"policy", "chekc", "x"}), kUsage);
    EXPECT_THAT(said_, HasSubstr("reeve policy knows no command chekc, did you mean check?"));
    EXPECT_EQ(read({"run", "--wrokspace", ".", "ls"}), kUsage);
    EXPECT_THAT(said_, HasSubstr("did you mean --workspace?"));
    EXPECT_EQ(read({"xyzzyplugh"}), kUsage);
    EXPECT_EQ(said_.find("did you mean"), std::string::npos);
    EXPECT_EQ(read({"\x1b[2J"}), kUsage);
    EXPECT_EQ(said_.find('\x1b'), std::string::npos);
}

TEST_F(CommandLine, MistakesAreUsageErrors) {
    EXPECT_EQ(read({}), kUsage);
    EXPECT_EQ(read({"policy"}), kUsage);
    EXPECT_EQ(read({"policy", "check"}), kUsage);
    EXPECT_EQ(read({"log", "--decision", "perhaps"}), kUsage);
    EXPECT_EQ(read({"attest"}), kUsage);
    EXPECT_EQ(read({"ps", "extra", "words"}), kUsage);
}

TEST_F(CommandLine, HelpAndVersionArePrinted) {
    EXPECT_EQ(read({"--version"}), kYes);
    EXPECT_THAT(printed_, HasSubstr("reeve "));
    EXPECT_EQ(read({"log", "--help"}), kYes);
    EXPECT_THAT(printed_, HasSubstr("EXAMPLES"));
    EXPECT_EQ(read({"--generate", "bash"}), kYes);
    EXPECT_THAT(printed_, HasSubstr("_reeve"));
    EXPECT_EQ(read({"--generate", "tcsh"}), kUsage);
}

TEST_F(CommandLine, WhatIsNotBuiltYetIsNotThere) {
    for (const char* word : {"prompts", "answer", "grants", "report", "enroll", "mcp"})
        EXPECT_EQ(read({word}), kUsage) << word;
    for (const char* word : {"diff", "learn", "sign", "install"})
        EXPECT_EQ(read({"policy", word}), kUsage) << word;
}

}  // namespace
}  // namespace reeve::client
