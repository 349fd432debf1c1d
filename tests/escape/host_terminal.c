// Uses the terminal of the person's own shell, which came as standard input: changes its settings, types into
// it.
#include <sys/ioctl.h>
#include <termios.h>

#include "tests/escape/attack.h"

int main(void) {
    struct termios settings;
    const int got = tcgetattr(0, &settings);
    settings.c_lflag &= ~(tcflag_t)ECHO;
    call("settings", got != 0 ? -1 : tcsetattr(0, TCSANOW, &settings));
    call("write", open("/proc/self/fd/0", O_WRONLY | O_NOCTTY));
    return done();
}
