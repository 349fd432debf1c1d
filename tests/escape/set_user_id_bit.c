// Leaves a program in the workspace that runs with the person's ids for whoever starts it outside.
#include "tests/escape/attack.h"

static void tried(const char* name, int fd) {
    const int error = errno;
    struct stat status;
    fstat(fd, &status);
    way(name, (status.st_mode & S_ISUID) != 0 && status.st_size > 0, error);
    fchmod(fd, 0644);
}

int main(void) {
    const int fd = open("program", O_RDWR | O_CREAT, 0644);
    if (fd < 0 || write(fd, "#!/bin/sh\n", 10) != 10) return 2;
    chmod("program", 04755);
    tried("chmod", fd);
    fchmod(fd, 04755);
    tried("fchmod", fd);
    syscall(SYS_fchmodat, AT_FDCWD, "program", 04755);
    tried("fchmodat", fd);
    syscall(452 /* fchmodat2 */, AT_FDCWD, "program", 04755, 0);
    tried("fchmodat2", fd);
    return done();
}
