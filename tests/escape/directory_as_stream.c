// Walks out of the session by a directory of the host's that came as standard input. Argument: the secret.
#include "tests/escape/attack.h"

int main(int argc, char** argv) {
    if (argc != 2) return 2;
    way("openat", reads(0, argv[1] + 1, "PRIVATE KEY"), errno);
    way("fchdir", fchdir(0) == 0 && reads(AT_FDCWD, argv[1] + 1, "PRIVATE KEY"), errno);
    return done();
}
