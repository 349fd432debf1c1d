// Reads a file that the person makes outside while the session runs. Argument: its path. Two pipes of the
// workspace keep the order: the host makes the file once `go` is opened, and then opens `done`.
#include "tests/escape/attack.h"

int main(int argc, char** argv) {
    if (argc != 2) return 2;
    close(open("go", O_WRONLY));
    const int made = open("done", O_RDONLY);
    char byte;
    if (read(made, &byte, 1) != 1) return 2;
    way("read", reads(AT_FDCWD, argv[1], "PRIVATE KEY"), errno);
    return done();
}
