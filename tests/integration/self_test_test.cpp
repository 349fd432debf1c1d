// reeve-self-test in real sessions: all walls hold, and each wall that a session can be made without is seen to be missing.
#include <gtest/gtest.h>

#include <fcntl.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <fstream>

#include "platform/linux/posture/parse.hpp"
#include "platform/linux/posture/walls.hpp"
#include "tests/escape/driver.hpp"

namespace reeve::test {
namespace {

namespace fs = std::filesystem;
using platform::confine::Plan;
using platform::posture::kWalls;
using platform::posture::parse_self_test;
using platform::posture::Wall;

// Where the victim lies and what it tries: a program of root's, a directory that the person may change outside, a secret.
struct Place {
    Place() {
        fs::create_directory(tools);
        fs::copy_file(REEVE_SELF_TEST, program);
        fs::permissions(program, static_cast<fs::perms>(0755));
        fs::permissions(tools, static_cast<fs::perms>(0755));
        person.make_directory(zone_dir);
    }

    // Its answer, run as the only command of a session.
    Outcome run(std::vector<std::string> without = {}, const std::function<void(Plan&)>& change = {},
                const std::string& outside = std::to_string(::getpid())) {
        const auto grant = [&](Plan& plan) {
            plan.zones.push_back(zone(tools.string(), false));
            plan.zones.push_back(zone(zone_dir.string(), false));
            if (change) change(plan);
        };
        Session session(person, {.without = std::move(without), .change = grant});
        return session.run({program.string(), person.secret().string(), zone_dir.string(), outside});
    }

    Person person;
    fs::path tools = person.root() / "tools", program = tools / "self-test",
             zone_dir = person.root() / "zone";
};

std::vector<Wall> walls_of(const Outcome& outcome) {
    const auto walls = parse_self_test(outcome.output);
    if (!walls) ADD_FAILURE() << walls.error().text() << "\n" << outcome.text();
    return walls ? *walls : std::vector<Wall>{};
}

const Wall* find(const std::vector<Wall>& walls, std::string_view name) {
    const auto wall = std::ranges::find(walls, name, &Wall::name);
    return wall == walls.end() ? nullptr : &*wall;
}

TEST(SelfTest, AllWallsHoldInASession) {
    Place place;
    const auto before = snapshot(place.zone_dir);
    const auto outcome = place.run();
    EXPECT_EQ(outcome.exit_code, 0) << outcome.text();
    const auto walls = walls_of(outcome);
    ASSERT_EQ(walls.size(), kWalls.size());
    for (std::size_t i = 0; i < walls.size(); ++i) {
        EXPECT_EQ(walls[i].name, kWalls[i]);
        EXPECT_EQ(walls[i].held, true) << walls[i].name << ": " << walls[i].detail;
        EXPECT_FALSE(walls[i].detail.empty()) << walls[i].name;
    }
    EXPECT_EQ(snapshot(place.zone_dir), before);
    EXPECT_TRUE(place.person.unchanged());
}

// The number of a process outside may be that of the victim itself inside: no process outside was reached.
TEST(SelfTest, ANumberThatIsItsOwnInside) {
    Place place;
    for (const char* number : {"2", "3", "4"}) {
        const auto outcome = place.run({}, {}, number);
        EXPECT_EQ(outcome.exit_code, 0) << number << "\n" << outcome.text();
    }
}

TEST(SelfTest, WhatIsNotThereToBeTriedIsNotHeld) {
    Place place;
    Session session(place.person,
                    {.change = [&](Plan& plan) { plan.zones.push_back(zone(place.tools.string(), false)); }});
    const auto outcome = session.run({place.program.string(), place.person.secret().string(),
                                      place.zone_dir.string(), std::to_string(::getpid())});
    EXPECT_EQ(outcome.exit_code, 1);
    const auto walls = walls_of(outcome);
    const auto* const wall = find(walls, "read-only-zone");
    ASSERT_NE(wall, nullptr);
    EXPECT_EQ(wall->held, std::nullopt);
}

TEST(SelfTest, RefusesWrongArguments) {
    Place place;
    for (const std::vector<std::string>& arguments :
         std::vector<std::vector<std::string>>{{},
                                               {"/x"},
                                               {"/x", "/x", "1"},
                                               {"/x", "/x", "-5"},
                                               {"/x", "/x", "12x"},
                                               {"/x", "/x", "5", "6"}}) {
        std::vector<std::string> command{place.program.string()};
        command.insert(command.end(), arguments.begin(), arguments.end());
        Session session(place.person, {.change = [&](Plan& plan) {
                            plan.zones.push_back(zone(place.tools.string(), false));
                        }});
        const auto outcome = session.run(command);
        EXPECT_EQ(outcome.exit_code, 2) << outcome.text();
        EXPECT_EQ(outcome.output, "");
    }
}

// --- outside

// What a program that is not confined at all says, run by root.
TEST(SelfTest, NoWallHoldsOutside) {
    Place place;
    const pid_t other = ::fork();
    if (other == 0) {
        ::alarm(60);
        for (;;) ::pause();
    }
    const fs::path answer = place.person.root() / "answer";
    const std::string number = std::to_string(other);
    const pid_t child = ::fork();
    if (child == 0) {
        if (::dup2(::open(answer.c_str(), O_WRONLY | O_CREAT | O_CLOEXEC, 0600), 1) != 1) ::_exit(99);
        ::execl(place.program.c_str(), place.program.c_str(), place.person.secret().c_str(),
                place.zone_dir.c_str(), number.c_str(), static_cast<char*>(nullptr));
        ::_exit(99);
    }
    int status = 0;
    ::waitpid(child, &status, 0);
    EXPECT_TRUE(WIFEXITED(status) && WEXITSTATUS(status) == 1) << status;
    EXPECT_EQ(::kill(other, 0), 0) << "it must do no harm to what it tries";
    ::kill(other, SIGKILL);
    ::waitpid(other, nullptr, 0);

    std::ifstream file(answer);
    const std::string text{std::istreambuf_iterator<char>(file), {}};
    const auto walls = parse_self_test(text);
    ASSERT_TRUE(walls) << text;
    ASSERT_EQ(walls->size(), kWalls.size());
    for (const auto& wall : *walls) {
        // A machine may be confined itself (CI in a container), have no network, or a kernel without some of it.
        const bool depends = wall.name == "network-out" || wall.name == "keyring" ||
                             wall.name == "io-uring" || wall.name == "bpf" || wall.name == "perf" ||
                             wall.name == "userfaultfd";
        EXPECT_TRUE(depends || wall.held == false) << wall.name << ": " << wall.detail;
    }
    EXPECT_TRUE(fs::is_empty(place.zone_dir)) << "what it made is gone again";
}

// --- one defence out

struct Hole {
    const char* wall;
    std::vector<std::string> without;
    std::function<void(const Place&, Plan&)> change = {};
};

void PrintTo(const Hole& hole, std::ostream* out) {
    *out << hole.wall;
}

// Ids of the person, no capability, a user namespace of its own.
std::vector<std::string> rights_and(std::vector<std::string> more) {
    more.insert(more.end(), {"identity", "capabilities", "user_namespace"});
    return more;
}

void grant(const fs::path& path, Plan& plan) {
    plan.zones.push_back(zone(path.string(), false));
}

std::vector<Hole> holes() {
    return {
        {"host-secrets", rights_and({}), [](const Place&, Plan& plan) { grant("/root", plan); }},
        {"absent-path",
         {"read_only"},
         [](const Place& place, Plan& plan) { grant(place.person.secret().parent_path(), plan); }},
        {"read-only-zone", {"read_only", "landlock"}},
        {"nested-namespace", {"nested_namespaces", "seccomp.unshare", "seccomp.clone", "seccomp.clone3"}},
        {"mount", rights_and({"seccomp.mount"})},
        {"ptrace", {"seccomp.ptrace"}},
        {"process-memory", {"seccomp.process_vm"}},
        {"proc-root", {"dumpable", "user_namespace"}},
        {"unix-datagram", {"seccomp.sockets"}},
        {"odd-sockets", {"seccomp.sockets"}},
        {"io-uring", {"seccomp.io_uring"}},
        {"bpf", rights_and({"seccomp.bpf"})},
        {"perf", rights_and({"seccomp.perf"})},
        {"keyring", {"seccomp.keyrings"}},
        {"userfaultfd", {"seccomp.userfaultfd"}},
        {"setuid", {"seccomp.set_user_id"}},
        {"setuid", {"nosuid", "no_new_privs", "seccomp", "user_namespace"}},
        {"chroot", rights_and({"seccomp.mount"})},
        {"tty-injection", {"seccomp.terminal"}},
        {"memfd-exec", {"memfd_noexec", "seccomp.memfd"}},
        {"file-handles", rights_and({"seccomp.handles"})},
        {"capabilities", {"capabilities"}},
        {"no-new-privileges", {"no_new_privs", "seccomp"}},
        {"seccomp-filter", {"seccomp.personality"}},
    };
}

class WithoutTheWall : public testing::TestWithParam<Hole> {};

// network-out needs a network outside, and the pid namespace (signals) cannot be left out: the run outside shows those.
TEST_P(WithoutTheWall, IsSeen) {
    Place place;
    const auto outcome = place.run(GetParam().without, [&](Plan& plan) {
        if (GetParam().change) GetParam().change(place, plan);
    });
    EXPECT_EQ(outcome.exit_code, 1) << outcome.text();
    const auto walls = walls_of(outcome);
    const auto* const wall = find(walls, GetParam().wall);
    ASSERT_NE(wall, nullptr);
    // A kernel that was built without it cannot show the hole.
    if (wall->held == true && wall->detail.find("Function not implemented") != std::string::npos)
        GTEST_SKIP() << "this kernel has no such call: " << wall->detail;
    EXPECT_EQ(wall->held, false) << outcome.text();
}

std::string name_of(const testing::TestParamInfo<Hole>& hole) {
    std::string name = std::string(hole.param.wall) + "_" + std::to_string(hole.index);
    std::ranges::replace(name, '-', '_');
    return name;
}
INSTANTIATE_TEST_SUITE_P(SelfTest, WithoutTheWall, testing::ValuesIn(holes()), name_of);

}  // namespace
}  // namespace reeve::test
