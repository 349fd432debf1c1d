// Runs a program that has a file capability. Argument: the program, a copy of this one.
#include <linux/capability.h>

#include "tests/escape/attack.h"

static int has_any(void) {
    struct __user_cap_header_struct header = {_LINUX_CAPABILITY_VERSION_3, 0};
    struct __user_cap_data_struct data[2] = {{0}};
    syscall(SYS_capget, &header, data);
    return data[0].permitted != 0 || data[1].permitted != 0;
}

int main(int argc, char** argv) {
    if (argc == 1) return has_any() ? 42 : 0;
    const pid_t child = fork();
    if (child == 0) {
        execl(argv[1], argv[1], (char*)NULL);
        _exit(1);
    }
    int status = 0;
    waitpid(child, &status, 0);
    way("capability", WIFEXITED(status) && WEXITSTATUS(status) == 42, EPERM);
    return done();
}
