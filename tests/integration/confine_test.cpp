// Real sessions, by the real spawner and the real reeve-confine: work that must go on unchanged, and set-ups
// that must start nothing.
#include <fcntl.h>
#include <gtest/gtest.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <termios.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

#include "platform/linux/cgroup.hpp"
#include "tests/escape/driver.hpp"

namespace reeve::test {
namespace {
namespace fs = std::filesystem;
using namespace platform::confine;
using Who = reeve::test::Person;

std::vector<std::string> shell(const std::string& script) {
    return {"/bin/sh", "-c", script};
}

std::string in_session(const std::string& script, Options options = {}) {
    const Who person;
    const Outcome outcome = Session(person, std::move(options)).run(shell(script));
    EXPECT_EQ(outcome.exit_code, 0) << outcome.text();
    EXPECT_TRUE(person.unchanged());
    return outcome.output;
}

TEST(Confine, RunsACommand) {
    EXPECT_EQ(in_session("echo hello"), "hello\n");
}

TEST(Confine, GivesExitCodeAndSignal) {
    const Who person;
    EXPECT_EQ(Session(person).run(shell("exit 42")).exit_code, 42);
    EXPECT_EQ(Session(person).run(shell("kill -TERM $$")).signal, SIGTERM);
    const Outcome missing = Session(person).run({"no-such-program"});
    EXPECT_EQ(missing.exit_code, 127) << missing.text();
    EXPECT_NE(missing.errors.find("no-such-program"), std::string::npos);
    EXPECT_EQ(Session(person).run({"/etc/passwd"}).exit_code, 126);
}

TEST(Confine, PassesPipesThrough) {
    const Who person;
    const Outcome outcome = Session(person).run(shell("cat; echo error >&2"), "from outside\n");
    EXPECT_EQ(outcome.output, "from outside\n");
    EXPECT_EQ(outcome.errors, "error\n");
}

TEST(Confine, HasThePersonsIdsAndNothingElse) {
    const Who person;
    const std::string id = std::to_string(person.ids().uid);
    const Outcome outcome =
        Session(person).run(shell("id -u; id -g; id -G; grep -E '^(Cap|NoNewPrivs|Seccomp:)' "
                                  "/proc/self/status; ls /proc/self/fd; pwd; env | "
                                  "sort; hostname"));
    EXPECT_EQ(outcome.exit_code, 0) << outcome.text();
    EXPECT_TRUE(outcome.output.starts_with(id + "\n" + id + "\n" + id + "\n")) << outcome.output;
    for (const char* line :
         {"CapInh:\t0000000000000000", "CapPrm:\t0000000000000000", "CapEff:\t0000000000000000",
          "CapBnd:\t0000000000000000", "CapAmb:\t0000000000000000", "NoNewPrivs:\t1", "Seccomp:\t2",
          "\n0\n1\n2\n3\n/", "TMPDIR=/tmp\nUSER=tester\ntest-"})
        EXPECT_NE(outcome.output.find(line), std::string::npos) << line << "\n" << outcome.text();
}

TEST(Confine, ThePersonsOtherFilesAreAbsent) {
    const Who person;
    const Outcome outcome =
        Session(person).run(shell("ls -A " + person.home().string() + " /var /root /home /proc/1/root"));
    EXPECT_NE(outcome.exit_code, 0);
    EXPECT_EQ(outcome.output.find(".ssh"), std::string::npos) << outcome.text();
    EXPECT_EQ(outcome.output.find(".bashrc"), std::string::npos);
    EXPECT_TRUE(person.unchanged());
}

TEST(Confine, SystemIsReadOnlyAndWorkspaceIsNot) {
    in_session(
        "! touch /usr/x && ! touch /etc/x && ! touch /x && ! mkdir /dev/x && ! touch /proc/sys/x && touch "
        "/tmp/x ~/x ./x "
        "/dev/shm/x && echo 1 > /dev/null && test \"$(cat ./x)\" = ''");
}

TEST(Confine, LeavesNoStrayFiles) {
    const Who person;
    person.make_directory(person.workspace() / "a/b");
    person.write(person.workspace() / "a/file", "text");
    const auto before = snapshot(person.root());
    const Outcome outcome =
        Session(person, {.change =
                             [&](Plan& plan) {
                                 plan.masks.push_back((person.workspace() / "a/b").string());
                                 plan.masks.push_back((person.workspace() / "a/file").string());
                             }})
            .run({"true"});
    EXPECT_EQ(outcome.exit_code, 0) << outcome.text();
    EXPECT_EQ(snapshot(person.root()), before);
}

// --- real work

TEST(ConfineWork, Git) {
    in_session(
        "git config --global user.name T && git config --global user.email t@example.com && git init -q a && "
        "cd a && echo text > file && git add file && git commit -qm first && cd .. && git "
        "clone -q a b "
        "&& cd b && git mv file other && git commit -qam second && git log --oneline | wc -l && git status "
        "--porcelain");
}

TEST(ConfineWork, CompilerAndMake) {
    EXPECT_EQ(
        in_session("printf 'int puts(const char*);int main(void){puts(\"built\");}' > m.c && "
                   "printf 'all: m\\nm: m.c\\n\\t$(CC) -O1 -o m m.c\\n' > Makefile && make -s -j2 && ./m"),
        "built\n");
}

TEST(ConfineWork, Interpreters) {
    if (fs::exists("/usr/bin/node")) {
        EXPECT_EQ(
            in_session(
                "node -e 'require(\"fs\").writeFileSync(\"n\", \"x\"); require(\"os\").networkInterfaces(); "
                "console.log(1 + 1)'"),
            "2\n");
    }
    EXPECT_EQ(in_session("/usr/bin/python3 -c 'import subprocess, socket, multiprocessing.pool as p; "
                         "print(subprocess.check_output([\"echo\", \"3\"]).decode().strip(), "
                         "p.ThreadPool(2).map(abs, [-1]))'"),
              "3 [1]\n");
}

TEST(ConfineWork, LoopbackOnly) {
    EXPECT_EQ(in_session("/usr/bin/python3 -c '\n"
                         "import socket\n"
                         "s = socket.socket(); s.bind((\"127.0.0.1\", 0)); s.listen()\n"
                         "c = socket.create_connection(s.getsockname()); a = s.accept()[0]; c.send(b\"x\"); "
                         "print(a.recv(1))\n"
                         "try: socket.create_connection((\"192.0.2.1\", 80), 5)\n"
                         "except OSError as e: print(e.strerror)\n"
                         "a, b = socket.socketpair(); print(a.send(b\"y\"))\n"
                         "try: socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)\n"
                         "except OSError as e: print(e.strerror)\n"
                         "'"),
              "b'x'\nConnection refused\n1\nSocket type not supported\n");
}

// --- terminal

TEST(ConfineTerminal, IsOneAndCanBeResized) {
    const Who person;
    Session session(person, {.terminal = true});
    session.start(
        shell("trap 'stty size; exit 3' WINCH; tty; stty size; echo ready; while :; do sleep 0.1; done"));
    ASSERT_TRUE(session.wait_for("ready")) << session.outcome().text();
    EXPECT_NE(session.outcome().output.find("/dev/pts/0\r\n24 80\r\n"), std::string::npos)
        << session.outcome().text();
    winsize size{};
    size.ws_row = 50;
    size.ws_col = 132;
    ASSERT_EQ(::ioctl(session.terminal(), TIOCSWINSZ, &size), 0);
    const Outcome outcome = session.finish();
    EXPECT_EQ(outcome.exit_code, 3) << outcome.text();
    EXPECT_NE(outcome.output.find("50 132\r\n"), std::string::npos) << outcome.text();
}

TEST(ConfineTerminal, ControlCInterrupts) {
    const Who person;
    Session session(person, {.terminal = true});
    session.start(shell("echo ready; exec sleep 100"));
    ASSERT_TRUE(session.wait_for("ready"));
    session.type("\x03");
    EXPECT_EQ(session.finish().signal, SIGINT);
}

TEST(ConfineTerminal, ControlZStopsAndTheCommandGoesOn) {
    const Who person;
    Session session(person, {.terminal = true});
    session.start(shell("echo ready; read line; echo got $line"));
    ASSERT_TRUE(session.wait_for("ready"));
    session.type("\x1a");
    ASSERT_TRUE(session.wait_for_stop()) << session.outcome().text();
    ASSERT_TRUE(session.link().send_signal(SIGCONT));
    session.type("word\n");
    const Outcome outcome = session.finish();
    EXPECT_NE(outcome.output.find("got word"), std::string::npos) << outcome.text();
    EXPECT_EQ(outcome.exit_code, 0);
}

TEST(ConfineTerminal, JobsOfAShell) {
    const Who person;
    Session session(person, {.terminal = true});
    session.start({"/bin/bash", "--norc", "-i"});
    session.type("sh -c 'echo re\"\"ady; exec sleep 1000'\n");
    ASSERT_TRUE(session.wait_for("ready\r\n")) << session.outcome().text();
    session.type("\x1a");
    ASSERT_TRUE(session.wait_for("Stopped")) << session.outcome().text();
    session.type("kill %1; exit 7\nexit 7\n");
    EXPECT_EQ(session.finish().exit_code, 7);
}

TEST(ConfineTerminal, LosesNoOutputAtTheEnd) {
    const Who person;
    const Outcome outcome = Session(person, {.terminal = true}).run(shell("seq 20000"));
    EXPECT_TRUE(outcome.output.ends_with("\n20000\r\n")) << outcome.output.size();
}

TEST(Confine, SignalsGoToTheCommand) {
    const Who person;
    Session session(person);
    session.start(shell("trap 'exit 9' USR1; echo ready; while :; do sleep 0.1; done"));
    ASSERT_TRUE(session.wait_for("ready"));
    ASSERT_TRUE(session.link().send_signal(SIGUSR1));
    EXPECT_EQ(session.finish().exit_code, 9);
}

// --- the end

TEST(ConfineEnd, BackgroundProcessesDieWithTheCommand) {
    const Who person;
    Session session(person);
    const Outcome outcome = session.run(shell("setsid sleep 1000 & echo started"));
    EXPECT_EQ(outcome.exit_code, 0);
    EXPECT_FALSE(outcome.timed_out) << "something kept the pipes open";
}

TEST(ConfineEnd, ClosingTheLinkEndsTheSession) {
    const Who person;
    auto session = std::make_unique<Session>(person);
    session->start(shell("trap '' TERM HUP INT; echo ready; sleep 1000"));
    ASSERT_TRUE(session->wait_for("ready"));
    pollfd gone{::fcntl(session->pidfd(), F_DUPFD_CLOEXEC, 0), POLLIN, 0};
    const platform::Fd owner(gone.fd);
    session.reset();
    EXPECT_EQ(::poll(&gone, 1, 10'000), 1);
}

TEST(ConfineEnd, WhenReevedIsKilled) {
    const Who person;
    int ready[2];
    ASSERT_EQ(::pipe(ready), 0);
    const pid_t reeved = ::fork();
    if (reeved == 0) {
        // A spawner of its own: the one of this process would be shared.
        auto own = Spawner::create({.confine = confine_program(false)});
        Plan plan = default_plan(person);
        plan.command = shell("sleep 1000");
        StartFds fds;
        for (auto& stream : fds.streams) stream.reset(::open("/dev/null", O_RDWR | O_CLOEXEC));
        auto child = (*own)->start(plan, std::move(fds));
        const pid_t pids[2] = {child->pid, (*own)->helper()};
        (void)!::write(ready[1], pids, sizeof pids);
        ::pause();
        ::_exit(0);
    }
    pid_t pids[2] = {};
    ASSERT_EQ(::read(ready[0], pids, sizeof pids), static_cast<ssize_t>(sizeof pids));
    std::vector<platform::Fd> watched;
    for (const pid_t pid : pids)
        watched.emplace_back(static_cast<int>(::syscall(434 /* pidfd_open */, pid, 0)));
    ::kill(reeved, SIGKILL);
    ::waitpid(reeved, nullptr, 0);
    for (const auto& fd : watched) {
        pollfd gone{fd.get(), POLLIN, 0};
        EXPECT_EQ(::poll(&gone, 1, 10'000), 1);
    }
    ::close(ready[0]);
    ::close(ready[1]);
}

TEST(ConfineEnd, ADeadSpawnerStartsNothingAndSaysSo) {
    const Who person;
    auto own = Spawner::create({.confine = confine_program(false)});
    ASSERT_TRUE(own);
    ::kill((*own)->helper(), SIGKILL);
    StartFds fds;
    for (auto& stream : fds.streams) stream.reset(::open("/dev/null", O_RDWR | O_CLOEXEC));
    Plan plan = default_plan(person);
    plan.command = {"true"};
    auto child = (*own)->start(plan, std::move(fds));
    ASSERT_FALSE(child);
    EXPECT_NE(child.error().text().find("restart reeved"), std::string::npos) << child.error().text();
}

// --- set-ups that start nothing

struct Failure {
    const char* step;
    std::function<void(Plan&)> change;
};

TEST(ConfineFails, AtEveryStepWithoutStartingAnything) {
    const Who person;
    const std::string workspace = person.workspace().string();
    const Failure failures[] = {
        {"zones",
         [&](Plan& p) { p.zones.push_back({.path = workspace + "/missing", .device = 1, .inode = 1}); }},
        {"zones", [](Plan& p) { p.zones[0].inode += 1; }},
        {"zones", [](Plan& p) { p.zones[0].directory = false; }},
        {"zones", [](Plan& p) { p.zones[0].path = "relative"; }},
        {"assemble", [](Plan& p) { p.private_directories.push_back(p.private_directories[0]); }},
        {"assemble", [&](Plan& p) { p.private_directories.push_back({.path = workspace + "/missing"}); }},
        {"assemble",
         [&](Plan& p) {
             p.links.push_back({workspace + "/link", "x"});
         }},
        {"masks", [&](Plan& p) { p.masks = {workspace + "/missing"}; }},
        {"masks", [](Plan& p) { p.masks = {"/nowhere/at/all"}; }},
        {"landlock", [](Plan& p) { p.required_landlock = 1000; }},
        {"plan", [](Plan& p) { p.person.uid = 0; }},
        {"plan", [](Plan& p) { p.person.uid = static_cast<uid_t>(-1); }},
        {"plan", [](Plan& p) { p.person.gid = static_cast<gid_t>(-1); }},
        {"working_directory", [](Plan& p) { p.working_directory = "/"; }},
        {"working_directory", [](Plan& p) { p.working_directory = "/root"; }},
        {"working_directory", [&](Plan& p) { p.working_directory = workspace + "/../.."; }},
        {"plan", [](Plan& p) { p.command.clear(); }},
        {"plan", [](Plan& p) { p.session = "../x"; }},
    };
    for (const Failure& failure : failures) {
        const Outcome outcome = Session(person, {.change = failure.change}).run({"touch", "proof"});
        EXPECT_EQ(outcome.failed_step, failure.step) << outcome.text();
        EXPECT_FALSE(outcome.started);
        EXPECT_FALSE(outcome.error.text().empty());
        EXPECT_FALSE(fs::exists(person.workspace() / "proof"));
    }
    EXPECT_TRUE(person.unchanged());
}

TEST(ConfineFails, ThePlanWithHolesInTheProgramThatIsInstalled) {
    const Who person;
    StartFds fds;
    for (auto& stream : fds.streams) stream.reset(::open("/dev/null", O_RDWR | O_CLOEXEC));
    Plan plan = default_plan(person);
    plan.command = {"true"};
    plan.without = {"seccomp"};
    auto child = spawner(false).start(plan, std::move(fds));
    ASSERT_TRUE(child);
    pollfd readable{child->link.fd(), POLLIN, 0};
    ASSERT_EQ(::poll(&readable, 1, 10'000), 1);
    auto message = child->link.receive();
    ASSERT_TRUE(message && *message);
    EXPECT_EQ(std::get<StepFailed>(**message).step, "plan");
}

TEST(ConfineFails, AZoneThatIsSwappedAfterTheDecision) {
    const Who person;
    const fs::path zone_path = person.workspace() / "zone";
    person.make_directory(zone_path);
    person.make_directory(person.workspace() / "other");
    for (const bool by_link : {false, true}) {
        Options options{.change = [&](Plan& plan) {
            plan.zones.push_back(zone(zone_path.string(), true));
            fs::rename(zone_path, person.workspace() / "moved");
            if (by_link)
                fs::create_symlink(person.home() / ".ssh", zone_path);
            else
                fs::rename(person.workspace() / "other", zone_path);
        }};
        const Outcome outcome = Session(person, options).run({"true"});
        EXPECT_EQ(outcome.failed_step, "zones") << outcome.text();
        EXPECT_NE(outcome.error.why.find("changed"), std::string::npos) << outcome.error.text();
        fs::remove(zone_path);
        fs::rename(person.workspace() / "moved", zone_path);
    }
}

// --- zones

TEST(ConfineZones, AFileAndNestedOnes) {
    Who person;
    const fs::path work = person.workspace();
    person.write(work / "kept/file", "kept");
    person.write(work / "open/file", "open");
    person.write(person.home() / ".config/tool.json", "{}");
    person.remember();
    const Outcome outcome =
        Session(person,
                {.change =
                     [&](Plan& plan) {
                         plan.zones.push_back(zone((work / "kept").string(), false));
                         plan.zones.push_back(zone((person.home() / ".config/tool.json").string(), false));
                     }})
            .run(shell(
                "cat ~/.config/tool.json && ! echo x > kept/file && ! rm -r kept && ! mv kept y && echo x > "
                "open/file && ! echo x > ~/.config/tool.json && echo y > ~/.config/other"));
    EXPECT_EQ(outcome.exit_code, 0) << outcome.text();
    EXPECT_TRUE(outcome.output.starts_with("{}"));
    EXPECT_TRUE(person.unchanged());
}

TEST(ConfineZones, MaskedFilesAndDirectories) {
    Who person;
    const fs::path work = person.workspace();
    person.write(work / ".env", "secret");
    person.write(work / "private/file", "secret");
    const Outcome outcome =
        Session(person, {.change =
                             [&](Plan& plan) {
                                 plan.masks = {(work / ".env").string(), (work / "private").string()};
                             }})
            .run(shell(
                "! cat .env && ! ls private && ! echo x > .env && ! rm .env && ! mv private y && ! touch "
                "private/z && ! cat /proc/keys && ! cat /proc/kallsyms"));
    EXPECT_EQ(outcome.exit_code, 0) << outcome.text();
    EXPECT_EQ(outcome.output, "");
}

TEST(ConfineZones, MountsOfTheHostBelowAZoneDoNotAppear) {
    Who person;
    const fs::path below = person.workspace() / "below";
    person.make_directory(below);
    // In a mount namespace of this test's own, which the spawner is forked in.
    const pid_t pid = ::fork();
    if (pid == 0) {
        bool good = ::unshare(CLONE_NEWNS) == 0 &&
                    ::mount("", "/", nullptr, MS_REC | MS_PRIVATE, nullptr) == 0 &&
                    ::mount("tmpfs", below.c_str(), "tmpfs", 0, nullptr) == 0;
        std::ofstream(below / "secret") << "x";
        auto own = Spawner::create({.confine = confine_program(false)});
        Plan plan = default_plan(person);
        plan.command = shell("test -d below && test ! -e below/secret && touch below/proof");
        StartFds fds;
        for (auto& stream : fds.streams) stream.reset(::open("/dev/null", O_RDWR | O_CLOEXEC));
        auto child = (*own)->start(plan, std::move(fds));
        good = good && child;
        while (good) {
            pollfd readable{child->link.fd(), POLLIN, 0};
            if (::poll(&readable, 1, 10'000) != 1) ::_exit(2);
            auto message = child->link.receive();
            if (!message || !*message) ::_exit(3);
            if (auto* exited = std::get_if<Exited>(&**message)) ::_exit(exited->status == 0 ? 0 : 4);
            if (std::get_if<StepFailed>(&**message) || std::get_if<Closed>(&**message)) ::_exit(5);
        }
        ::_exit(1);
    }
    int status = 0;
    ::waitpid(pid, &status, 0);
    EXPECT_EQ(WEXITSTATUS(status), 0);
    EXPECT_TRUE(fs::exists(below / "proof")) << "the directory below the mount is what the zone has";
}

// The kernel takes a page of lines for a user namespace's groups: where there are more, the rest is nobody's
// by number, and still counts.
TEST(ConfineGroups, AsManyAsThereAre) {
    const Who person;
    for (const gid_t distance : {1u, 7u}) {
        const gid_t last = 100'000 + 338 * distance;
        person.write(person.workspace() / "file", "of the last group\n", 0040);
        ASSERT_EQ(::chown((person.workspace() / "file").c_str(), 0, last), 0);
        const Outcome outcome =
            Session(person, {.change =
                                 [&](Plan& plan) {
                                     plan.person.groups = {plan.person.gid};
                                     for (gid_t i = 0; i < 339; ++i)
                                         plan.person.groups.push_back(100'000 + i * distance);
                                 }})
                .run(shell("cat file; id -g; grep ^Groups: /proc/self/status | wc -w"));
        EXPECT_EQ(outcome.output, "of the last group\n" + std::to_string(person.ids().gid) + "\n341\n")
            << outcome.text();
    }
}

TEST(ConfineCgroup, HoldsTheSessionAndEndsIt) {
    const Who person;
    Plan shape = default_plan(person);
    auto group = platform::Cgroup::create(shape.session + "-cgroup");
    ASSERT_TRUE(group) << group.error().text();
    auto limited = group->limit(256u << 20, 64);
    EXPECT_TRUE(limited) << limited.error().text();
    Session session(person, {.add = [&](StartFds& fds) {
                        fds.cgroup = std::move(*group->directory());
                        fds.limit_groups = std::move(*group->limit_groups());
                    }});
    session.start(shell(
        "cat /proc/self/cgroup; i=0; while [ $i -lt 100 ]; do sleep 1000 & i=$((i+1)); done; echo ready; "
        "wait"));
    auto own = platform::cgroup_of(session.pid());
    ASSERT_TRUE(own);
    EXPECT_TRUE(group->contains(*own)) << *own;
    EXPECT_FALSE(session.wait_for("ready")) << "more processes than its limit" << session.outcome().text();
    EXPECT_TRUE(group->kill());
    session.finish();
    auto removed = group->remove(10'000);
    EXPECT_TRUE(removed) << removed.error().text();
}

}  // namespace
}  // namespace reeve::test
