// What runs under the real reeve-probe has nothing: no id, no capability, no network, no other process, no file to change, no
// descriptor, no time and no output beyond its row's.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fcntl.h>
#include <grp.h>
#include <poll.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "tests/integration/posture_programs.hpp"

namespace reeve::platform::posture::test {
namespace {

namespace fs = std::filesystem;
using testing::HasSubstr;

constexpr uid_t kNobody = 1'600'000'123;  // nobody's, so that nothing on the machine is its own

Result<Output> run(std::string_view id) {
    return ConfinedExec(REEVE_TEST_PROBE_PATH, kNobody, kNobody, test_programs()).run(id);
}

std::string output_of(std::string_view id) {
    const auto output = run(id);
    if (!output) return output.error().text();
    EXPECT_EQ(output->status, 0);
    return output->standard_output;
}

std::string field(const std::string& status, const std::string& name) {
    std::istringstream lines(status);
    for (std::string line; std::getline(lines, line);)
        if (line.starts_with(name + ":\t")) return line.substr(name.size() + 2);
    return "no " + name + " in\n" + status;
}

TEST(ConfinedExec, IsNobodyAndMayNothing) {
    const auto status = output_of("status");
    const std::string id = std::to_string(kNobody), ids = id + "\t" + id + "\t" + id + "\t" + id;
    EXPECT_EQ(field(status, "Uid"), ids);
    EXPECT_EQ(field(status, "Gid"), ids);
    EXPECT_EQ(field(status, "Groups"), " ");
    for (const char* set : {"CapInh", "CapPrm", "CapEff", "CapAmb"})
        EXPECT_EQ(field(status, set), "0000000000000000") << set;
    EXPECT_EQ(field(status, "NoNewPrivs"), "1");
    EXPECT_EQ(field(status, "Pid"), "1") << "of its own pid namespace, which ends with it";
    EXPECT_EQ(field(status, "SigBlk"), "0000000000000000");
    // All but 32 and 33, which are glibc's own and which its posix_spawn() leaves ignored.
    EXPECT_EQ(std::stoul(field(status, "SigIgn"), nullptr, 16) & ~0x180000000UL, 0U);
}

TEST(ConfinedExec, HasNoGroupsOfTheDaemons) {
    const pid_t child = ::fork();
    if (child == 0) {
        const gid_t shadow = 42;
        if (::setgroups(1, &shadow) != 0) ::_exit(1);
        const auto output = run("status");
        ::_exit(output && field(output->standard_output, "Groups") == " " ? 0 : 2);
    }
    int status = 0;
    ::waitpid(child, &status, 0);
    EXPECT_EQ(status, 0);
}

TEST(ConfinedExec, GainsNoPrivilege) {
    const std::string id = std::to_string(kNobody);
    EXPECT_EQ(output_of("privilege"),
              "setuid refused\nmount refused\nchroot refused\nsethostname refused\n['Uid:', '" + id + "', '" +
                  id + "', '" + id + "', '" + id + "']\n");
}

TEST(ConfinedExec, HasNoEnvironmentAndNoInput) {
    EXPECT_EQ(output_of("environment"), "");
    EXPECT_EQ(output_of("input"), "");
    EXPECT_EQ(output_of("place"), "/\n0o77\n");
}

TEST(ConfinedExec, HasNoOtherDescriptors) {
    const int leaked =
        ::fcntl(::open("/etc/passwd", O_RDONLY | O_CLOEXEC), F_DUPFD, 50);  // without close-on-exec
    ASSERT_GE(leaked, 50);
    EXPECT_EQ(output_of("fds"), "0 1 2 3\n") << "the fourth is the directory that is listed";
    const Fd closed(leaked);
}

TEST(ConfinedExec, SeesNoOtherProcess) {
    EXPECT_EQ(output_of("processes"), "1\n");
}

TEST(ConfinedExec, HasNoNetwork) {
    EXPECT_EQ(output_of("network"), "lo\nNetwork is unreachable\nNetwork is unreachable\n");
}

TEST(ConfinedExec, WritesNothingOutsideOfItsOwnTmp) {
    std::ofstream("/tmp/reeve-posture-marker-" + std::to_string(::getpid())) << "seen outside";
    EXPECT_EQ(output_of("write"),
              "/ refused\n/var/tmp refused\n/dev/shm refused\n/run refused\n/etc refused\n/usr "
              "refused\n/proc/self refused\n"
              "/tmp ['own']\n/dev/null written\n");
    EXPECT_FALSE(fs::exists("/tmp/own"));
    fs::remove("/tmp/reeve-posture-marker-" + std::to_string(::getpid()));
}

TEST(ConfinedExec, HasLimits) {
    EXPECT_EQ(output_of("limits"), "0 67108864 128 2147483648\n");
}

TEST(ConfinedExec, GivesTheExitCode) {
    const auto output = run("exit-3");
    ASSERT_TRUE(output) << output.error().text();
    EXPECT_EQ(output->status, 3);
    EXPECT_EQ(output->standard_output, "said\n");
}

// --- what goes wrong

TEST(ConfinedExec, ASignalIsAnError) {
    const auto output = run("crash");
    ASSERT_FALSE(output);
    EXPECT_THAT(output.error().text(), HasSubstr("signal 11"));
}

TEST(ConfinedExec, MissingProgramsSaySo) {
    EXPECT_EQ(run("missing").error().code, ENOENT);
    EXPECT_EQ(run("directory").error().code, EACCES);
}

TEST(ConfinedExec, WhatIsNotInTheTableIsNotRun) {
    const auto output = run("status; id");
    ASSERT_FALSE(output);
    EXPECT_EQ(output.error().code, 0);
}

// "Not installed" is about the program: a missing helper must not pass for it.
TEST(ConfinedExec, AMissingHelperIsNoMissingProgram) {
    const auto output =
        ConfinedExec("/nonexistent/reeve-probe", kNobody, kNobody, test_programs()).run("status");
    ASSERT_FALSE(output);
    EXPECT_EQ(output.error().code, 0);
    EXPECT_THAT(output.error().text(), HasSubstr("reeve-probe"));
}

TEST(ConfinedExec, RefusesToRunAsRoot) {
    EXPECT_FALSE(ConfinedExec(REEVE_TEST_PROBE_PATH, 0, kNobody, test_programs()).run("status"));
    EXPECT_FALSE(ConfinedExec(REEVE_TEST_PROBE_PATH, kNobody, 0, test_programs()).run("status"));
}

TEST(ConfinedExec, WithoutRootNothingIsRun) {
    const fs::path probe = fs::temp_directory_path() / ("reeve-probe-" + std::to_string(::getpid()));
    fs::copy_file(REEVE_TEST_PROBE_PATH, probe);
    fs::permissions(probe, static_cast<fs::perms>(0755));
    const pid_t child = ::fork();
    if (child == 0) {
        if (::setresgid(kNobody, kNobody, kNobody) != 0 || ::setresuid(kNobody, kNobody, kNobody) != 0)
            ::_exit(1);
        const auto output = ConfinedExec(probe, kNobody, kNobody, test_programs()).run("status");
        ::_exit(!output && output.error().code == EPERM ? 0 : 2);
    }
    int status = 0;
    ::waitpid(child, &status, 0);
    EXPECT_EQ(status, 0);
    fs::remove(probe);
}

// --- the end of it

// Descriptors of the processes whose command line has all of `script`, whoever's they are.
std::vector<Fd> running(const std::string& script) {
    std::vector<Fd> found;
    for (const auto& entry : fs::directory_iterator("/proc")) {
        const auto pid = std::atoi(entry.path().filename().c_str());
        std::ifstream file(entry.path() / "cmdline");
        const std::string line{std::istreambuf_iterator<char>(file), {}};
        if (pid <= 0 || line.find(script) == std::string::npos) continue;
        found.emplace_back(static_cast<int>(::syscall(SYS_pidfd_open, pid, 0)));
    }
    return found;
}

std::string script_of(std::string_view id) {
    return std::ranges::find(test_programs(), id, &Program::id)->argv.back();
}

// The kernel may still be ending what was killed: its end is waited for, with a deadline.
void expect_gone(std::string_view id) {
    for (const auto& process : running(script_of(id))) {
        pollfd ended{process.get(), POLLIN, 0};
        EXPECT_TRUE(!process || ::poll(&ended, 1, 5'000) == 1) << id << " is still there";
    }
    EXPECT_TRUE(running(script_of(id)).empty()) << id;
}

TEST(ConfinedExec, TimeIsLimitedForAllThatWasStarted) {
    const auto began = std::chrono::steady_clock::now();
    const auto output = run("hang");
    const auto took = std::chrono::steady_clock::now() - began;
    ASSERT_FALSE(output);
    EXPECT_EQ(output.error().code, ETIMEDOUT);
    EXPECT_GE(took, std::chrono::milliseconds(1'500));
    EXPECT_LT(took, std::chrono::seconds(15));
    expect_gone("hang");
}

TEST(ConfinedExec, WhatIsLeftBehindEndsWithIt) {
    EXPECT_EQ(output_of("daemon"), "left one behind\n");
    expect_gone("daemon");
}

TEST(ConfinedExec, OutputIsLimited) {
    const auto output = run("flood");
    ASSERT_FALSE(output);
    EXPECT_EQ(output.error().code, EFBIG);
    expect_gone("flood");
    EXPECT_EQ(output_of("exactly").size(), 100U);
    const auto more = run("one-more");
    ASSERT_FALSE(more);
    EXPECT_EQ(more.error().code, EFBIG);
}

TEST(ConfinedExec, LeavesNoDescriptorsAndNoZombies) {
    const auto count = [] { return std::distance(fs::directory_iterator("/proc/self/fd"), {}); };
    const auto before = count();
    for (const char* id : {"status", "missing", "flood", "crash"}) (void)run(id);
    EXPECT_EQ(count(), before);
    EXPECT_EQ(::waitpid(-1, nullptr, WNOHANG), -1) << "a child was not waited for";
}

// --- the product's own table

TEST(Programs, AreAbsoluteBoundAndReasoned) {
    for (const auto& program : programs()) {
        ASSERT_FALSE(program.argv.empty());
        EXPECT_EQ(program.argv[0][0], '/') << program.id;
        EXPECT_FALSE(program.why.empty()) << program.id;
        EXPECT_GT(program.limit_ms, 0U) << program.id;
        EXPECT_LE(program.limit_ms, 60'000U) << program.id;
        EXPECT_GT(program.max_output, 0U) << program.id;
    }
}

// The real apt-get through the real reeve-probe, where it is there.
TEST(Programs, AptAnswersConfined) {
    if (!fs::exists("/usr/bin/apt-get") || !fs::exists("/var/lib/dpkg/status"))
        GTEST_SKIP() << "no apt on this machine";
    const auto output = ConfinedExec(REEVE_PROBE_PATH, kNobody, kNobody).run("apt-simulate");
    ASSERT_TRUE(output) << output.error().text();
    EXPECT_EQ(output->status, 0) << output->standard_output;
    EXPECT_THAT(output->standard_output, HasSubstr(" upgraded, "));
}

}  // namespace
}  // namespace reeve::platform::posture::test
