// reeve-keeper, alone: programs change files in a session that has a real one.
#include <gtest/gtest.h>
#include <poll.h>
#include <signal.h>
#include <unistd.h>

#include <algorithm>
#include <sstream>

#include "platform/linux/seqpacket.hpp"
#include "tests/integration/keeper_harness.hpp"

namespace reeve::test {
namespace {

namespace fs = std::filesystem;

constexpr const char* kRules =
    R"({"id": "mcp", "deny": ["write"], "paths": ["**/.mcp.json"], "reason": "runs later"},
       {"id": "hooks", "deny": ["write"], "paths": ["**/.git/hooks/**"], "except": ["**/.git/hooks/*.sample"]})";

TEST(Keeper, MakesMovesAndRemovesWhatPolicyAllows) {
    Kept kept({.rules = kRules});
    const auto result = kept.shell(
        "set -e; echo one > a; mkdir -p d/e; mv a d/e/b; ln -s e d/l; echo two >> d/l/b; cat d/e/b; chmod "
        "600 d/e/b; "
        "stat -c %a d/e/b; ln d/e/b hard; truncate -s 3 hard; cat d/e/b; touch -d @1000 hard; stat -c %Y "
        "d/e/b; "
        "mkfifo f; rm f hard; rm -r d; ls -A; umask 077; echo x > y; stat -c %a y");
    EXPECT_EQ(result.exit_code, 0) << result.text();
    EXPECT_EQ(result.output, "one\ntwo\n600\none1000\n600\n") << result.text();
    EXPECT_EQ(result.told("open", kept.workspace() / "a", 0), 1u) << result.text();
    EXPECT_EQ(result.told("rename", kept.workspace() / "a", 0), 1u);
    EXPECT_EQ(result.told("mkdir", kept.workspace() / "d/e", 0), 1u);
    EXPECT_EQ(result.told("unlink", kept.workspace() / "d/e/b", 0), 1u);
}

TEST(Keeper, NoWayMakesAForbiddenName) {
    Kept kept({.rules = kRules});
    kept.write(kept.workspace() / ".git/config", "x");
    kept.make_directory(kept.workspace() / ".git/hooks");
    const auto result = kept.shell(
        "mkdir sub; echo x > ok; ! echo x > .mcp.json && ! mv ok .mcp.json && ! ln ok .mcp.json && ! ln -s "
        "ok .mcp.json "
        "&& "
        "! mkdir .mcp.json && ! mkfifo .mcp.json && ! echo x > .git/hooks/pre-commit && "
        "echo x > .git/hooks/a.sample && ! mv .git/hooks/a.sample .git/hooks/post-commit && "
        "ln -s .mcp.json link && ! echo x > link && mv link old-link && ! ln -sT x sub/.git && ! mv -T "
        "old-link sub/.git && ! ln -P old-link sub/.git && mkdir -p x/hooks && echo evil > x/hooks/evil && "
        "mv .git old; mv x .git; ! test -e .git/hooks/evil; cd .git/hooks && ! echo x > ../../.mcp.json && "
        "! echo x > pre-push");
    EXPECT_EQ(result.exit_code, 0) << result.text();
    EXPECT_FALSE(fs::exists(fs::symlink_status(kept.workspace() / ".mcp.json")));
    EXPECT_FALSE(fs::exists(kept.workspace() / ".git/hooks/pre-commit"));
    EXPECT_FALSE(fs::exists(kept.workspace() / ".git/hooks/evil"));
    EXPECT_GE(result.told("open", kept.workspace() / ".mcp.json", EACCES), 2u) << result.text();
}

// The kernel's path of what is not the session's says nothing: /tmp of the host is not the session's own.
TEST(Keeper, ADescriptorOfTheHostOpensNoWay) {
    Kept kept({.rules = kRules, .host_root = true});
    for (const fs::path& place : {fs::path("/tmp"), kept.root() / "home/work", kept.root() / "home"}) {
        const fs::path directory = place / ("reeve-host-" + std::to_string(::getpid()));
        kept.make_directory(directory);
        kept.make_directory(directory / "empty");
        kept.write(directory / "file", "theirs", 0640);
        const auto result = kept.run_victim("host_descriptor", {(directory / "file").relative_path().string(),
                                                                directory.relative_path().string()});
        // Below the workspace, policy allows it all, by whatever way.
        if (place != kept.workspace()) {
            EXPECT_EQ(result.exit_code, 0) << place << result.text();
            EXPECT_FALSE(fs::exists(directory / "made"));
            EXPECT_TRUE(fs::exists(directory / "empty"));
            EXPECT_EQ(fs::file_size(directory / "file"), 6u);
            EXPECT_EQ(fs::status(directory / "file").permissions(), fs::perms(0640));
        }
        fs::remove_all(directory);
    }
}

// A mount in the session is none to this process's own namespace: the kernel would take it away with the name.
TEST(Keeper, WhatIsMountedInsideStaysWhereItIs) {
    Kept kept({.rules = kRules, .kept = "a/kept"});
    kept.write(kept.workspace() / "a/kept/file", "kept");
    const auto result = kept.shell(
        "mkdir -p b/e; ! mv a/kept a/other; ! mv a c; ! rmdir a/kept; ! mv -T b/e a/kept; ! mv --exchange "
        "b/e a/kept "
        "2>/dev/null; ! echo x > a/kept/file; ! chmod 777 a/kept/file; ! touch a/kept/file; ! rm -rf a; "
        "cat a/kept/file; ! test -e a/other");
    EXPECT_EQ(result.exit_code, 0) << result.text();
    EXPECT_TRUE(result.output.ends_with("kept")) << result.text();
    EXPECT_TRUE(fs::exists(kept.workspace() / "a/kept/file"));
}

TEST(Keeper, ObservedRulesRefuseNothingAndAreTold) {
    Kept kept({.rules = kRules, .observe = true});
    const auto result = kept.shell("echo x > .mcp.json && mkdir x && mv x .git && cat .mcp.json");
    EXPECT_EQ(result.output, "x\n") << result.text();
    ASSERT_EQ(result.told("open", kept.workspace() / ".mcp.json", 0), 1u) << result.text();
    EXPECT_EQ(result.reports[0].verdict, policy::Verdict::deny);
}

TEST(Keeper, ReadsAreDecidedWhereTheyAreTrapped) {
    Kept kept({.rules = R"({"deny": ["read"], "paths": ["**/.env"], "except": []})", .trap_reads = true});
    kept.write(kept.workspace() / ".env", "secret");
    kept.write(kept.workspace() / "file", "text\n");
    const auto result = kept.shell(
        "cat file; cat /proc/self/comm < /dev/null; ls / > /dev/null; ! cat .env; ln -s .env l; ! cat l; "
        "ln .env hard && exit 3; mv .env env && exit 4; cat env; cat /dev/stdin < file; exit 0");
    EXPECT_EQ(result.exit_code, 0) << result.text();
    EXPECT_EQ(result.output.find("text\ncat\n"), 0u) << result.text();
    EXPECT_EQ(result.output.find("secret"), std::string::npos) << result.text();
    EXPECT_GE(result.told("open", kept.workspace() / ".env", EACCES), 2u) << result.text();
    EXPECT_GE(result.told("open", kept.workspace() / "file", 0), 1u) << result.text();
}

TEST(Keeper, ItsDeathEndsAllChanges) {
    Kept kept({.rules = kRules, .meanwhile = [](pid_t keeper, int control) {
                   pollfd told{control, POLLIN, 0};  // the first change was made
                   ::poll(&told, 1, 10'000);
                   ::kill(keeper, SIGKILL);
               }});
    const auto result =
        kept.shell("while echo x > f; do :; done; mkdir d; cat /dev/null; echo x > /tmp/f || echo no");
    EXPECT_NE(result.output.find("Function not implemented"), std::string::npos) << result.text();
    EXPECT_TRUE(result.output.ends_with("no\n")) << result.text();
}

// Answers while it works, also when all that it was asked for waits; and not when it is stopped.
TEST(Keeper, AnswersPings) {
    const auto answers = [](int control, int ms) {
        if (!platform::send_packet(control, "p")) return false;
        while (true) {
            pollfd readable{control, POLLIN, 0};
            if (::poll(&readable, 1, ms) != 1) return false;
            auto packet = platform::receive_packet(control);
            if (!packet || packet->end) return false;
            if (packet->bytes == "p") return true;
        }
    };
    bool alive = false, stopped = true, again = false;
    Kept kept({.rules = kRules, .meanwhile = [&](pid_t keeper, int control) {
                   alive = answers(control, 10'000);
                   ::kill(keeper, SIGSTOP);
                   stopped = answers(control, 200);
                   ::kill(keeper, SIGCONT);
                   again = answers(control, 10'000);
               }});
    const auto result = kept.shell(
        "mkfifo f; i=0; while [ $i -lt 30 ]; do (echo x > f) & p=\"$p $!\"; i=$((i+1)); done; "
        "for i in 1 2 3 4 5 6 7 8 9; do mkdir d$i; done; kill $p; wait; exit 0");
    EXPECT_TRUE(alive && !stopped && again) << alive << stopped << again << result.text();
    EXPECT_EQ(result.exit_code, 0) << result.text();
}

// --- connect() is told of, and goes on

// Prints the socket's inode and what connecting it gave, for each of (family, type, address) in `list`.
std::vector<std::string> connecting(const std::string& list, const std::string& how = "one(*each)") {
    return {"/usr/bin/python3", "-I", "-c",
            "import errno, os, socket, threading\n"
            "from socket import *\n"
            "def one(family, kind, address):\n"
            "    s = socket(family, kind)\n"
            "    s.setblocking(False)\n"
            "    print(os.fstat(s.fileno()).st_ino, s.connect_ex(address), flush=True)\n"
            "    return s\n"
            "for each in " +
                list + ": " + how + "\n"};
}

TEST(Keeper, TellsWhoConnectsWhichSocket) {
    Kept kept({.connections = true});
    const auto result = kept.run(connecting(
        R"([(AF_INET, SOCK_DGRAM, ("192.0.2.1", 9)), (AF_INET6, SOCK_DGRAM, ("2001:db8::1", 9)),
            (AF_INET6, SOCK_DGRAM, ("::ffff:192.0.2.1", 9)), (AF_INET, SOCK_STREAM, ("192.0.2.1", 443))])"));
    EXPECT_EQ(result.exit_code, 0) << result.text();
    ASSERT_EQ(result.connecting.size(), 4u) << result.text();
    std::istringstream lines(result.output);
    for (const egress::Connecting& one : result.connecting) {
        std::uint64_t inode = 0;
        int code = 0;
        lines >> inode >> code;
        EXPECT_EQ(one.inode, inode);
        EXPECT_EQ(one.exe, fs::canonical("/usr/bin/python3"));
        EXPECT_GT(one.pid, 1);
        EXPECT_GT(one.start_ns, 0u);
    }
}

TEST(Keeper, TellsOfTheProcessAndNotOfTheThread) {
    Kept kept({.connections = true});
    const auto result =
        kept.run(connecting(R"([(AF_INET, SOCK_DGRAM, ("192.0.2.1", 9))] * 3)",
                            "t = threading.Thread(target=one, args=each); t.start(); t.join()"));
    EXPECT_EQ(result.exit_code, 0) << result.text();
    ASSERT_EQ(result.connecting.size(), 3u) << result.text();
    for (const auto& one : result.connecting) EXPECT_EQ(one.pid, result.connecting[0].pid);
}

TEST(Keeper, TellsOfNothingThatStaysInside) {
    Kept kept({.connections = true});
    const auto result = kept.run(connecting(
        R"([(AF_INET, SOCK_DGRAM, ("127.0.0.1", 9)), (AF_INET, SOCK_DGRAM, ("127.9.9.9", 9)),
            (AF_INET6, SOCK_DGRAM, ("::1", 9)), (AF_UNIX, SOCK_STREAM, "/nowhere"), (AF_UNIX, SOCK_STREAM, "\0x")])"));
    EXPECT_EQ(result.exit_code, 0) << result.text();
    EXPECT_TRUE(result.connecting.empty()) << result.connecting.size();
    EXPECT_NE(result.output.find(" 111\n"), std::string::npos) << result.text();
}

// More than the socket holds, and nobody reads until the session is over.
TEST(Keeper, NobodyWaitsForWhoIsToldOfConnections) {
    Kept kept({.connections = true});
    const auto result = kept.run(connecting(R"([(AF_INET, SOCK_DGRAM, ("192.0.2.1", 9))] * 5000)"));
    EXPECT_EQ(result.exit_code, 0) << result.output.substr(0, 500);
    EXPECT_EQ(std::ranges::count(result.output, '\n'), 5000);
    EXPECT_GT(result.connecting.size(), 10u);
    EXPECT_LT(result.connecting.size(), 5000u);
}

}  // namespace
}  // namespace reeve::test
