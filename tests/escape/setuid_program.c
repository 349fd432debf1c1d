// Runs a program of root's that has the set-user-id bit. Argument: the program, a copy of this one.
#include "tests/escape/attack.h"

int main(int argc, char** argv) {
    if (argc == 1) return geteuid() == 0 ? 42 : 0;
    const pid_t child = fork();
    if (child == 0) {
        execl(argv[1], argv[1], (char*)NULL);
        _exit(1);
    }
    int status = 0;
    waitpid(child, &status, 0);
    way("uid 0", WIFEXITED(status) && WEXITSTATUS(status) == 42, EPERM);
    return done();
}
