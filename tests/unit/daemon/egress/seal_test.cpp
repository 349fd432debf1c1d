#include "daemon/egress/seal.hpp"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <functional>

#include "daemon/egress/checked_address.hpp"
#include "platform/linux/landlock.hpp"

namespace reeve::egress {
namespace {

// Does it in a child that is sealed, and gives errno, 0 for no failure, or minus the signal that ended it.
int sealed(const std::function<bool()>& work) {
    const pid_t child = ::fork();
    if (child == 0) {
        if (!protect() || !enter_seal()) ::_exit(255);
        errno = 0;
        // Sanitizers do more at _exit() than the seal lets them.
        ::syscall(SYS_exit_group, work() ? 0 : errno);
    }
    int status = 0;
    ::waitpid(child, &status, 0);
    return WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
}
bool opens(const char* path, int flags) {
    return ::open(path, flags | O_CLOEXEC, 0600) >= 0;
}
bool makes(int family, int type, int protocol = 0) {
    return ::socket(family, type | SOCK_CLOEXEC | SOCK_NONBLOCK, protocol) >= 0;
}

TEST(SealTest, LeavesWhatItsWorkTakes) {
    EXPECT_EQ(sealed([] { return makes(AF_INET, SOCK_STREAM) && makes(AF_INET6, SOCK_STREAM); }), 0);
    EXPECT_EQ(sealed([] { return makes(AF_INET, SOCK_DGRAM) && makes(AF_INET6, SOCK_DGRAM); }), 0);
    EXPECT_EQ(sealed([] { return own_addresses().has_value(); }), 0);
    EXPECT_EQ(
        sealed([] { return opens("/etc/resolv.conf", O_RDONLY) && opens("/etc/nsswitch.conf", O_RDONLY); }),
        0);
    EXPECT_EQ(sealed([] {
                  int ends[2];
                  return ::pipe2(ends, O_CLOEXEC | O_NONBLOCK) == 0;
              }),
              0);
}

TEST(SealTest, MakesNoOtherSockets) {
    EXPECT_EQ(sealed([] { return makes(AF_UNIX, SOCK_STREAM); }), EPERM);
    EXPECT_EQ(sealed([] { return makes(AF_INET, SOCK_RAW, IPPROTO_ICMP); }), EPERM);
    EXPECT_EQ(sealed([] { return makes(AF_PACKET, SOCK_RAW); }), EPERM);
    EXPECT_EQ(sealed([] { return makes(AF_NETLINK, SOCK_RAW, 4 /* NETLINK_SOCK_DIAG */); }), EPERM);
    EXPECT_EQ(sealed([] {
                  const int socket = ::socket(AF_INET, SOCK_STREAM, 0);
                  return ::listen(socket, 1) == 0;
              }),
              EPERM);
}

TEST(SealTest, ReadsAndWritesNoOtherFiles) {
    if (platform::landlock::abi() == 0) GTEST_SKIP() << "no Landlock here";
    EXPECT_EQ(sealed([] { return opens("/proc/self/maps", O_RDONLY); }), EACCES);
    EXPECT_EQ(sealed([] { return opens("/root", O_RDONLY | O_DIRECTORY); }), EACCES);
    EXPECT_EQ(sealed([] { return opens("/etc/nsswitch.conf", O_RDWR); }), EACCES);
    EXPECT_EQ(sealed([] { return opens("/tmp/reeve-egress-was-here", O_WRONLY | O_CREAT); }), EACCES);
}

TEST(SealTest, HasNoCodeOfItsOwnMaking) {
    EXPECT_EQ(sealed([] {
                  return ::mmap(nullptr, 4096, PROT_READ | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) !=
                         MAP_FAILED;
              }),
              EPERM);
    EXPECT_EQ(sealed([] { return ::prctl(PR_SET_DUMPABLE, 1) == 0; }), EPERM);
}

TEST(SealTest, ExecutingTracingAndSignallingAreItsEnd) {
    EXPECT_EQ(sealed([] { return ::execl("/bin/true", "true", nullptr) == 0; }), -SIGSYS);
    EXPECT_EQ(sealed([] { return ::ptrace(PTRACE_TRACEME) == 0; }), -SIGSYS);
    EXPECT_EQ(sealed([] { return ::syscall(SYS_kill, 1, 0) == 0; }), -SIGSYS);
}

}  // namespace
}  // namespace reeve::egress
