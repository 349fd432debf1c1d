// Looks into the session's first process, which has descriptors that the session must not have.
#include "tests/escape/attack.h"

int main(void) {
    const char* names[] = {"root",    "cwd", "fd/0", "fdinfo/0", "ns/mnt",
                           "environ", "mem", "maps", "auxv",     "io"};
    for (unsigned i = 0; i < sizeof names / sizeof *names; ++i) {
        char path[64], buffer[64];
        snprintf(path, sizeof path, "/proc/1/%s", names[i]);
        const int fd = open(path, O_RDONLY);
        // Some are opened by anybody and answer when they are read.
        const int through = fd >= 0 && (strcmp(names[i], "io") != 0 || read(fd, buffer, sizeof buffer) > 0);
        way(names[i], through, errno);
        close(fd);
    }
    return done();
}
