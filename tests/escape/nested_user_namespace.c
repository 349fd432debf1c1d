// Makes a user and mount namespace inside the session, where it would have all capabilities and mounts
// without marks. By unshare(), by clone() with flags, and by clone3(): any of them is enough.
#include <linux/sched.h>
#include <sched.h>
#include <signal.h>

#include "tests/escape/attack.h"

static int by_unshare(void) {
    return unshare(CLONE_NEWUSER | CLONE_NEWNS);
}

static int by_clone(void) {
    const long pid = syscall(SYS_clone, CLONE_NEWUSER | CLONE_NEWNS | SIGCHLD, 0, 0, 0, 0);
    if (pid == 0) _exit(0);
    return pid > 0 ? 0 : -1;
}

static int by_clone3(void) {
    struct clone_args args = {.flags = CLONE_NEWUSER | CLONE_NEWNS, .exit_signal = SIGCHLD};
    const long pid = syscall(SYS_clone3, &args, sizeof args);
    if (pid == 0) _exit(0);
    return pid > 0 ? 0 : -1;
}

static void in_child(const char* name, int (*attempt)(void)) {
    const pid_t pid = fork();
    if (pid == 0) _exit(attempt() == 0 ? 0 : errno);
    int status = 0;
    waitpid(pid, &status, 0);
    way(name, status == 0, WEXITSTATUS(status));
}

int main(void) {
    in_child("unshare", by_unshare);
    in_child("clone", by_clone);
    in_child("clone3", by_clone3);
    return done();
}
