#include "daemon/session/environment.hpp"

#include <gmock/gmock.h>

namespace reeve::session {
namespace {

using ::testing::Contains;
using ::testing::Each;
using ::testing::Not;
using ::testing::StartsWith;

const Person kAlice{.ids = {.uid = 1000, .gid = 1000, .groups = {1000}, .name = "alice"},
                    .home = "/home/alice"};

TEST(Environment, SplitsWhatTheClientPacked) {
    const std::string bytes("A=1\0B=\0novalue\0=x\0C=a=b", 23);
    EXPECT_EQ(split_environment(bytes), (std::vector<std::string>{"A=1", "B=", "C=a=b"}));
    EXPECT_TRUE(split_environment("").empty());
    EXPECT_TRUE(split_environment(std::string("\0\0", 2)).empty());
}

TEST(Environment, HandsThroughWhatProgramsNeedAndNothingElse) {
    const auto made = session_environment(
        {"PATH=/x/bin", "LANG=de_DE.UTF-8", "LC_TIME=C", "TERM=xterm", "ANTHROPIC_API_KEY=secret",
         "AWS_SECRET_ACCESS_KEY=secret", "GITHUB_TOKEN=secret"},
        {}, kAlice, "S");
    EXPECT_THAT(made, Contains("PATH=/x/bin"));
    EXPECT_THAT(made, Contains("LC_TIME=C"));
    EXPECT_THAT(made, Each(Not(::testing::HasSubstr("secret"))));
    EXPECT_EQ(value_of(made, "HOME"), "/home/alice");
    EXPECT_EQ(value_of(made, "REEVE_SESSION"), "S");
}

TEST(Environment, ANameOrAPrefixCanBeHandedThrough) {
    const std::vector<std::string> pass{"GITHUB_TOKEN", "ANTHROPIC_*"};
    const auto made =
        session_environment({"GITHUB_TOKEN=t", "GITHUB_TOKEN2=t", "ANTHROPIC_API_KEY=k"}, pass, kAlice, "S");
    EXPECT_EQ(value_of(made, "GITHUB_TOKEN"), "t");
    EXPECT_EQ(value_of(made, "ANTHROPIC_API_KEY"), "k");
    EXPECT_EQ(value_of(made, "GITHUB_TOKEN2"), "");
}

// Code that would run inside a trusted program without being it, and sockets that do not exist inside.
TEST(Environment, SomeAreNeverHandedThrough) {
    const std::vector<std::string> pass{"*"};
    std::vector<std::string> theirs;
    for (const char* name : {"LD_PRELOAD", "LD_LIBRARY_PATH", "GCONV_PATH", "BASH_ENV", "ENV", "NODE_OPTIONS",
                             "PYTHONPATH", "PERL5OPT", "GIT_SSH_COMMAND", "SSH_AUTH_SOCK",
                             "DBUS_SESSION_BUS_ADDRESS", "DISPLAY", "REEVE_SESSION", "REEVE_SOCKET"})
        theirs.push_back(std::string(name) + "=theirs");
    theirs.emplace_back("HOME=/theirs");
    for (const std::string& variable : session_environment(theirs, pass, kAlice, "S"))
        EXPECT_THAT(variable, Not(::testing::HasSubstr("theirs")));
}

TEST(Environment, TheFirstOfTwoOfOneNameCounts) {
    const auto made = session_environment({"LANG=first", "LANG=second"}, {}, kAlice, "S");
    EXPECT_THAT(made, Contains("LANG=first"));
    EXPECT_THAT(made, Each(Not(StartsWith("LANG=second"))));
}

TEST(Environment, WhatIsMissingGetsADefault) {
    const auto made = session_environment({}, {}, kAlice, "S");
    EXPECT_EQ(value_of(made, "PATH"), "/usr/local/bin:/usr/bin:/bin");
    EXPECT_EQ(value_of(made, "LANG"), "C.UTF-8");
}

}  // namespace
}  // namespace reeve::session
