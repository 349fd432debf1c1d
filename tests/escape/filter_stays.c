// Loosens the system call filter: switches it off, adds one that allows everything, starts another program.
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sys/prctl.h>

#include "tests/escape/attack.h"

static long refused_call(void) {
    return syscall(SYS_userfaultfd, 1 /* UFFD_USER_MODE_ONLY */);
}

int main(int argc, char** argv) {
    if (argc > 1) return refused_call() >= 0 ? 42 : 0;
    prctl(PR_SET_SECCOMP, 0 /* SECCOMP_MODE_DISABLED */);
    call("off", refused_call());
    struct sock_filter all[] = {BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW)};
    const struct sock_fprog program = {1, all};
    syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, SECCOMP_FILTER_FLAG_SPEC_ALLOW, &program);
    call("another filter", refused_call());
    const pid_t child = fork();
    if (child == 0) {
        execl(argv[0], argv[0], "again", (char*)NULL);
        _exit(1);
    }
    int status = 0;
    waitpid(child, &status, 0);
    way("another program", WIFEXITED(status) && WEXITSTATUS(status) == 42, EPERM);
    return done();
}
