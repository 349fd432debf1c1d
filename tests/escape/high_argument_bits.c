// Sets bits in the upper half of arguments that the kernel takes as 32 bits, so that a comparison of 64
// misses them.
#include <sched.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

#include "tests/escape/attack.h"

int main(void) {
    const long high = 1L << 32;
    char letter = 'x';
    past("socket", syscall(SYS_socket, AF_UNIX | high, SOCK_DGRAM | high, 0L));
    past("netlink", syscall(SYS_socket, AF_NETLINK | high, SOCK_RAW, 16L | high));
    past("ioctl", syscall(SYS_ioctl, 0, TIOCSTI | high, &letter));
    past("memfd", syscall(SYS_memfd_create, "x", 0x10L | high));
    const long pid = syscall(SYS_clone, CLONE_NEWUSER | SIGCHLD | high, 0, 0, 0, 0);
    if (pid == 0) _exit(0);
    call("clone", pid);
    return done();
}
