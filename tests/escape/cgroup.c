// Leaves its cgroup, and with it its limits and what it is known by. Argument: the hierarchy on the host.
#include "tests/escape/attack.h"

int main(int argc, char** argv) {
    if (argc != 2) return 2;
    char path[4200];
    snprintf(path, sizeof path, "%s/cgroup.procs", argv[1]);
    const int fd = open(path, O_WRONLY);
    call("leave", fd < 0 ? -1 : write(fd, "0", 1));
    return done();
}
