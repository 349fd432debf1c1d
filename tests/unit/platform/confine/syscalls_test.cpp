// The filter as a program: what it answers for each call, run by a small interpreter of BPF.
#include <gtest/gtest.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/netlink.h>
#include <linux/seccomp.h>
#include <netinet/in.h>
#include <sched.h>
#include <seccomp.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

#include <cstring>

#include "platform/linux/confine/syscall_list.hpp"
#include "platform/linux/confine/syscalls.hpp"
#include "platform/linux/memfd.hpp"
#include "tests/unit/platform/confine/bpf.hpp"

namespace reeve::platform::confine {
namespace {

class Filter : public testing::Test {
  protected:
    void SetUp() override {
        auto fd = compile_filter();
        ASSERT_TRUE(fd) << fd.error().text();
        auto bytes = read_memfd(fd->get(), true);
        ASSERT_TRUE(bytes);
        std::uint64_t first = 0;
        std::memcpy(&first, bytes->data(), sizeof first);
        const std::string parts[2] = {bytes->substr(8, first), bytes->substr(8 + first)};
        for (int i = 0; i < 2; ++i) {
            programs_[i].resize(parts[i].size() / sizeof(sock_filter));
            std::memcpy(programs_[i].data(), parts[i].data(), parts[i].size());
        }
    }

    // The stricter answer of both, as the kernel takes it: 0 for allowed, an errno, or -1 for death.
    int answer(const char* name, std::vector<std::uint64_t> arguments = {}, std::uint32_t arch = kHere) {
        return answer(seccomp_syscall_resolve_name(name), std::move(arguments), arch);
    }
    int answer(int number, std::vector<std::uint64_t> arguments = {}, std::uint32_t arch = kHere) {
        seccomp_data data{};
        data.nr = number;
        data.arch = arch;
        std::copy(arguments.begin(), arguments.end(), data.args);
        int strictest = 0;
        for (const auto& program : programs_) {
            const std::uint32_t result = run(program, data);
            if ((result & SECCOMP_RET_ACTION_FULL) == SECCOMP_RET_KILL_PROCESS) return -1;
            if ((result & SECCOMP_RET_ACTION_FULL) == SECCOMP_RET_ERRNO)
                strictest = static_cast<int>(result & SECCOMP_RET_DATA);
        }
        return strictest;
    }

    std::vector<sock_filter> programs_[2];
};

TEST_F(Filter, EveryNameIsOne) {
    for (const char* name : kAllowed) EXPECT_NE(seccomp_syscall_resolve_name(name), __NR_SCMP_ERROR) << name;
    for (const RefusedGroup& group : kRefused)
        for (const char* name : group.calls)
            EXPECT_NE(seccomp_syscall_resolve_name(name), __NR_SCMP_ERROR) << name;
}

TEST_F(Filter, AllowsWhatIsListedAndRefusesWhatIsListed) {
    for (const char* name : kAllowed)
        EXPECT_EQ(seccomp_syscall_resolve_name(name) < 0 ? 0 : answer(name), 0) << name;
    for (const RefusedGroup& group : kRefused)
        for (const char* name : group.calls)
            EXPECT_EQ(seccomp_syscall_resolve_name(name) < 0 ? group.code : answer(name), group.code) << name;
}

TEST_F(Filter, UnknownNumbersAreENOSYS) {
    for (const int number : {470, 500, 999, 100'000}) EXPECT_EQ(answer(number), ENOSYS) << number;
}

TEST_F(Filter, OtherArchitecturesAreKilled) {
#if defined(__x86_64__)
    EXPECT_EQ(answer(20, {}, AUDIT_ARCH_I386), -1);
    EXPECT_EQ(answer(0x40000000 | 39), -1) << "x32";
#else
    EXPECT_EQ(answer(20, {}, AUDIT_ARCH_ARM), -1);
#endif
}

TEST_F(Filter, CloneMakesNoNamespaces) {
    EXPECT_EQ(answer("clone", {SIGCHLD}), 0);
    EXPECT_EQ(
        answer("clone", {CLONE_VM | CLONE_FS | CLONE_FILES | CLONE_SIGHAND | CLONE_THREAD | CLONE_SYSVSEM}),
        0);
    for (const unsigned flag : {CLONE_NEWNS, CLONE_NEWCGROUP, CLONE_NEWUTS, CLONE_NEWIPC, CLONE_NEWUSER,
                                CLONE_NEWPID, CLONE_NEWNET}) {
        EXPECT_EQ(answer("clone", {flag | SIGCHLD}), EPERM) << flag;
        EXPECT_EQ(answer("clone", {0xdeadbeef00000000 | flag}), EPERM) << flag;
    }
}

// The kernel looks at the lower half of these arguments only: a higher bit must not make another value of it.
TEST_F(Filter, HighBitsOfArgumentsChangeNothing) {
    for (const std::uint64_t high : {0ULL, 1ULL << 32, 0xffffffff00000000ULL}) {
        EXPECT_EQ(answer("ioctl", {0, high | TIOCSTI}), EPERM);
        EXPECT_EQ(answer("ioctl", {0, high | TIOCLINUX}), EPERM);
        EXPECT_EQ(answer("ioctl", {0, high | TIOCGWINSZ}), 0);
        EXPECT_EQ(answer("memfd_create", {0, high | 0x10}), EPERM);
        EXPECT_EQ(answer("memfd_create", {0, high | 1}), 0);
        EXPECT_EQ(answer("socket", {high | AF_UNIX, high | SOCK_DGRAM}), ESOCKTNOSUPPORT);
        EXPECT_EQ(answer("socket", {high | AF_UNIX, high | SOCK_STREAM | SOCK_CLOEXEC}), 0);
        EXPECT_EQ(answer("socket", {high | AF_INET, SOCK_STREAM, high | 262}), EPROTONOSUPPORT);
        EXPECT_EQ(answer("socket", {high | AF_PACKET, SOCK_RAW}), EAFNOSUPPORT);
        EXPECT_EQ(answer("personality", {high | 0x0040000}), ENOSYS) << "ADDR_NO_RANDOMIZE";
    }
    EXPECT_EQ(answer("personality", {0xffffffff}), 0);
}

TEST_F(Filter, SocketsOfOrdinaryProgramsOnly) {
    for (const std::uint64_t family : {AF_INET, AF_INET6}) {
        EXPECT_EQ(answer("socket", {family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0}), 0);
        EXPECT_EQ(answer("socket", {family, SOCK_STREAM, IPPROTO_TCP}), 0);
        EXPECT_EQ(answer("socket", {family, SOCK_DGRAM, IPPROTO_UDP}), 0);
        EXPECT_EQ(answer("socket", {family, SOCK_DGRAM, IPPROTO_ICMP}), EPROTONOSUPPORT);
        EXPECT_EQ(answer("socket", {family, SOCK_STREAM, 132}), EPROTONOSUPPORT) << "SCTP";
        EXPECT_EQ(answer("socket", {family, SOCK_SEQPACKET, 132}), EPERM) << "SCTP";
        EXPECT_EQ(answer("socket", {family, SOCK_RAW, IPPROTO_ICMP}), EPERM);
        EXPECT_NE(answer("socket", {family, SOCK_STREAM, 77}), 0);
    }
    EXPECT_EQ(answer("socket", {AF_UNIX, SOCK_SEQPACKET, 0}), 0);
    EXPECT_EQ(answer("socket", {AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE}), 0);
    EXPECT_EQ(answer("socket", {AF_NETLINK, SOCK_RAW, NETLINK_AUDIT}), EPROTONOSUPPORT);
    for (const std::uint64_t family :
         {AF_PACKET, AF_ALG, AF_VSOCK, AF_BLUETOOTH, AF_CAN, AF_TIPC, AF_KEY, AF_XDP})
        EXPECT_EQ(answer("socket", {family, SOCK_STREAM, 0}), EAFNOSUPPORT) << family;
    EXPECT_EQ(answer("socket", {100, SOCK_STREAM, 0}), ENOSYS);
    EXPECT_EQ(answer("socketpair", {AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0}), 0);
    EXPECT_EQ(answer("socketpair", {AF_UNIX, SOCK_DGRAM, 0}), ESOCKTNOSUPPORT);
    EXPECT_EQ(answer("socketpair", {AF_TIPC, SOCK_STREAM, 0}), EAFNOSUPPORT);
}

TEST(FilterRules, CanEachBeTakenOut) {
    for (const std::string& rule : filter_rules()) {
        auto fd = compile_filter({rule});
        EXPECT_TRUE(fd) << rule << ": " << fd.error().text();
    }
}

}  // namespace
}  // namespace reeve::platform::confine
