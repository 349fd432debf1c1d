// Links a file of the person's into the workspace, to write to it there. Argument: the file.
#include "tests/escape/attack.h"

int main(int argc, char** argv) {
    if (argc != 2) return 2;
    call("link", link(argv[1], "linked"));
    unlink("linked");
    const int fd = open(argv[1], O_PATH);
    char path[64];
    snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
    call("link by descriptor", fd < 0 ? -1 : linkat(AT_FDCWD, path, AT_FDCWD, "linked", AT_SYMLINK_FOLLOW));
    return done();
}
