// Reads or writes what of /proc is the machine's and not the session's.
#include "tests/escape/attack.h"

int main(void) {
    const char* paths[] = {"/proc/keys", "/proc/timer_list", "/proc/kallsyms", "/proc/interrupts",
                           "/proc/sysrq-trigger"};
    for (unsigned i = 0; i < sizeof paths / sizeof *paths; ++i)
        if (access(paths[i], F_OK) == 0) call(paths[i], open(paths[i], i == 4 ? O_WRONLY : O_RDONLY));
    return done();
}
