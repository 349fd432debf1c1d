// Ends or stops the session's first process. These calls succeed, and nothing comes of them: that this
// program's end is reported shows it.
#include <signal.h>

#include "tests/escape/attack.h"

int main(void) {
    const int pidfd = (int)syscall(SYS_pidfd_open, 1, 0);
    for (int signal = 1; signal < 65; ++signal) {
        kill(1, signal);
        if (pidfd >= 0) syscall(SYS_pidfd_send_signal, pidfd, signal, NULL, 0);
    }
    way("signals", kill(1, 0) != 0, 0);
    return done();
}
