// The network of real sessions: whose doors their connections end in, and where reeve-egress is.
#include <netinet/in.h>  // before the kernel's

#include <fcntl.h>
#include <gtest/gtest.h>
#include <linux/netfilter_ipv4.h>
#include <poll.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <filesystem>

#include "tests/escape/driver.hpp"

namespace reeve::test {
namespace {
namespace fs = std::filesystem;
using namespace platform::confine;
using platform::Fd;
using platform::network::Door;
using Who = reeve::test::Person;

// bash connects without a program of its own, and tells why it could not.
std::vector<std::string> connecting(const std::string& says) {
    return {"/bin/bash", "-c",
            "exec 3<>/dev/tcp/93.184.216.34/443 || exit 1; echo " + says +
                " >&3; read -r answer <&3; echo $answer"};
}

TakenDoors take() {
    auto taken = spawner(false).take_doors();
    EXPECT_TRUE(taken) << taken.error().text();
    return taken ? std::move(*taken) : TakenDoors();
}

Options in(const TakenDoors& taken) {
    return {.add = [number = taken.network](StartFds& fds) { fds.network = number; }};
}

// Takes one connection, and gives what it says.
std::string answer(const TakenDoors& taken, const std::string& with) {
    const int door = taken.doors[Door::tcp4].get();
    pollfd one{door, POLLIN, 0};
    if (::poll(&one, 1, 10'000) != 1) return "nobody came";
    const Fd client(::accept4(door, nullptr, nullptr, SOCK_CLOEXEC));
    sockaddr_in asked{};
    socklen_t size = sizeof asked;
    if (::getsockopt(client.get(), SOL_IP, SO_ORIGINAL_DST, &asked, &size) != 0 ||
        ntohs(asked.sin_port) != 443)
        return "for another address";
    char buffer[64];
    const ssize_t got = ::recv(client.get(), buffer, sizeof buffer, 0);
    const std::string line = with + "\n";
    (void)!::send(client.get(), line.data(), line.size(), MSG_NOSIGNAL);
    return got < 0 ? "nothing" : std::string(buffer, static_cast<std::size_t>(got));
}

void talks(Session& session, const TakenDoors& taken, const std::string& name) {
    session.start(connecting("from-" + name));
    EXPECT_EQ(answer(taken, "to-" + name), "from-" + name + "\n");
    EXPECT_EQ(session.finish().output, "to-" + name + "\n");
}

TEST(SessionNetwork, EndsInTheDoorsThatWereTaken) {
    const Who person;
    const TakenDoors taken = take();
    for (const Fd& door : taken.doors.fds) EXPECT_TRUE(door);
    Session session(person, in(taken));
    talks(session, taken, "it");
}

TEST(SessionNetwork, WithoutDoorsNothingAnswers) {
    const Who person;
    const Outcome outcome = Session(person).run(connecting("x"));
    EXPECT_EQ(outcome.exit_code, 1);
    EXPECT_NE(outcome.errors.find("Connection refused"), std::string::npos) << outcome.text();
}

// Others start between, one of which takes no doors (the self-test of the daemon does so from another thread).
TEST(SessionNetwork, EachSessionHasItsOwnDoorsInWhateverOrderTheyStart) {
    const Who person;
    const TakenDoors first = take(), second = take();
    EXPECT_NE(first.network, second.network);
    EXPECT_EQ(Session(person).run(connecting("x")).exit_code, 1);
    const TakenDoors third = take();
    Session last(person, in(third)), late(person, in(first)), early(person, in(second));
    talks(early, second, "second");
    EXPECT_EQ(Session(person).run(connecting("x")).exit_code, 1);
    talks(late, first, "first");
    talks(last, third, "third");
}

std::string refusal(std::uint64_t network) {
    const Who person;
    StartFds fds;
    for (auto& stream : fds.streams) stream.reset(::open("/dev/null", O_RDWR | O_CLOEXEC));
    fds.network = network;
    Plan plan = default_plan(person);
    plan.command = {"true"};
    auto child = spawner(false).start(plan, std::move(fds));
    return child ? "" : child.error().text();
}

TEST(SessionNetwork, ANumberStartsOneSession) {
    const Who person;
    const TakenDoors taken = take();
    EXPECT_EQ(Session(person, in(taken)).run({"true"}).exit_code, 0);
    EXPECT_NE(refusal(taken.network).find("it is not there any more"), std::string::npos);
    EXPECT_NE(refusal(taken.network + 1000), "");
    EXPECT_EQ(Session(person).run({"true"}).exit_code, 0);
}

TEST(SessionNetwork, DoorsThatNobodyUsesAreGivenUp) {
    const Who person;
    const TakenDoors unused = take();
    TakenDoors last;
    for (int i = 0; i < 20; ++i) last = take();
    EXPECT_NE(refusal(unused.network), "");
    Session session(person, in(last));
    talks(session, last, "it");
}

std::string here(const char* name) {
    return fs::read_symlink(std::string("/proc/self/ns/") + name).string() + "\n";
}

TEST(SessionNetwork, TheCompanionForItIsInTheHostsAndHasNoCapability) {
    const Who person;
    auto own = Spawner::create({.confine = confine_program(false), .egress = REEVE_WHEREABOUTS});
    ASSERT_TRUE(own) << own.error().text();
    auto taken = (*own)->take_doors();
    ASSERT_TRUE(taken) << taken.error().text();
    int pair[2];
    ASSERT_EQ(::pipe2(pair, O_CLOEXEC), 0);
    const Fd told(pair[0]);
    Fd says(pair[1]);
    const int sent[] = {says.get(), says.get(), taken->doors[Door::tcp4].get()};
    const platform::confine::Person user{.uid = 4242, .gid = 4243, .groups = {}, .name = "egress"};
    auto running = (*own)->start_egress(user, -1, sent);
    ASSERT_TRUE(running) << running.error().text();
    says.reset();
    std::string all;
    char buffer[4096];
    for (ssize_t got = 0; (got = ::read(told.get(), buffer, sizeof buffer)) > 0;)
        all.append(buffer, static_cast<std::size_t>(got));
    EXPECT_EQ(all.substr(0, all.find("Cap")), here("net") + here("ipc") + here("uts") + "4242 4243\n");
    for (const char* set : {"CapInh", "CapPrm", "CapEff", "CapAmb"})
        EXPECT_NE(all.find(std::string(set) + ":\t0000000000000000"), std::string::npos) << all;
}

TEST(SessionNetwork, ACompanionThatIsNotInstalledIsAnError) {
    const Fd null(::open("/dev/null", O_RDWR | O_CLOEXEC));
    const int sent[] = {null.get(), null.get()};
    auto running =
        spawner(false).start_egress({.uid = 4242, .gid = 4243, .groups = {}, .name = "egress"}, -1, sent);
    ASSERT_FALSE(running);
    EXPECT_NE(running.error().text().find("not installed"), std::string::npos) << running.error().text();
}

// In a process whose /proc/sys is read-only no doors can be built.
int without_doors(const Who& person) {
    if (::unshare(CLONE_NEWNS) != 0 || ::mount("", "/", nullptr, MS_REC | MS_PRIVATE, nullptr) != 0 ||
        ::mount("/proc/sys", "/proc/sys", nullptr, MS_BIND, nullptr) != 0 ||
        ::mount("", "/proc/sys", nullptr, MS_REMOUNT | MS_BIND | MS_RDONLY, nullptr) != 0)
        return 2;
    auto own = Spawner::create({.confine = confine_program(false)});
    if (!own) return 3;
    const auto taken = (*own)->take_doors();
    if (taken || taken.error().text().find("/proc/sys is writable") == std::string::npos) return 4;
    Plan plan = default_plan(person);
    plan.command = {"/bin/bash", "-c", "! exec 3<>/dev/tcp/93.184.216.34/443"};
    StartFds fds;
    for (auto& stream : fds.streams) stream.reset(::open("/dev/null", O_RDWR | O_CLOEXEC));
    auto child = (*own)->start(plan, std::move(fds));
    while (child) {
        pollfd readable{child->link.fd(), POLLIN, 0};
        auto message =
            ::poll(&readable, 1, 10'000) == 1 ? child->link.receive() : platform::error("", "", "");
        if (!message) return 5;
        if (!*message) continue;
        if (auto* exited = std::get_if<Exited>(&**message)) return exited->status == 0 ? 0 : 6;
        if (std::get_if<StepFailed>(&**message) || std::get_if<Closed>(&**message)) return 7;
    }
    return 8;
}

TEST(SessionNetwork, WhereDoorsCannotBeBuiltSessionsStartWithoutAndTheReasonIsTold) {
    const Who person;
    const pid_t pid = ::fork();
    if (pid == 0) ::_exit(without_doors(person));
    int status = 0;
    ::waitpid(pid, &status, 0);
    EXPECT_EQ(status, 0) << "exit code " << WEXITSTATUS(status);
}

}  // namespace
}  // namespace reeve::test
