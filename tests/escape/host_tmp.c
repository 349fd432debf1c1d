// Finds files of the host's in the shared places where sockets and secrets lie. Argument: a file in the
// host's /tmp.
#include "tests/escape/attack.h"

int main(int argc, char** argv) {
    if (argc != 2) return 2;
    call("/tmp", open(argv[1], O_RDONLY));
    return done();
}
