// Types into the terminal (CVE-2017-5226), also with bits that the kernel does not look at (CVE-2023-1523).
#include <sys/ioctl.h>

#include "tests/escape/attack.h"

int main(void) {
    char letter = 'x', paste = 3;
    int discipline = 100;  // there is none
    const long high = 1L << 32;
    past("TIOCSTI", syscall(SYS_ioctl, 0, TIOCSTI, &letter));
    past("TIOCSTI, high bits", syscall(SYS_ioctl, 0, TIOCSTI | high, &letter));
    past("TIOCLINUX", syscall(SYS_ioctl, 0, TIOCLINUX, &paste));
    past("TIOCLINUX, high bits", syscall(SYS_ioctl, 0, TIOCLINUX | high, &paste));
    past("TIOCSETD", syscall(SYS_ioctl, 0, TIOCSETD, &discipline));
    return done();
}
