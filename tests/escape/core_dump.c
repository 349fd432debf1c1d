// Leaves a core file, or has the host's handler of crashes run: a limit of 0 stops only the file, 1 stops
// both.
#include <signal.h>
#include <sys/resource.h>

#include "tests/escape/attack.h"

static void crash(const char* name, rlim_t want) {
    const pid_t child = fork();
    if (child == 0) {
        const struct rlimit limit = {want, RLIM_INFINITY};
        const struct rlimit lower = {want, want};
        if (setrlimit(RLIMIT_CORE, &limit) != 0) setrlimit(RLIMIT_CORE, &lower);
        syscall(SYS_setrlimit, RLIMIT_CORE, &lower);
        struct rlimit now;
        getrlimit(RLIMIT_CORE, &now);
        if (now.rlim_cur == 0) _exit(42);  // a handler would run
        raise(SIGSEGV);
    }
    int status = 0;
    waitpid(child, &status, 0);
    way(name, WCOREDUMP(status) || (WIFEXITED(status) && WEXITSTATUS(status) == 42), 0);
}

int main(void) {
    struct rlimit start;
    getrlimit(RLIMIT_CORE, &start);
    if (start.rlim_max == 0) {
        printf("the limit of cores is 0 here (sudo), and root lacks CAP_SYS_RESOURCE to raise it\n");
        return 77;
    }
    crash("file", RLIM_INFINITY);
    crash("handler", 0);
    return done();
}
