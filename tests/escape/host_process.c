// Looks into a process of the same person on the host. Argument: its pid there.
#include <signal.h>

#include "tests/escape/attack.h"

int main(int argc, char** argv) {
    if (argc != 2) return 2;
    const char* names[] = {"root", "cwd", "fd/0", "environ", "mem", "maps", "ns/mnt"};
    for (unsigned i = 0; i < sizeof names / sizeof *names; ++i) {
        char path[64];
        snprintf(path, sizeof path, "/proc/%s/%s", argv[1], names[i]);
        call(names[i], open(path, O_RDONLY));
    }
    const pid_t pid = atoi(argv[1]);
    call("signal", kill(pid, 0));
    call("pidfd_open", syscall(SYS_pidfd_open, pid, 0));
    return done();
}
