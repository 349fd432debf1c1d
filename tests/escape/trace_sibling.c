// The same with a process of the session, which may be an honest one with secrets of its own.
#include <linux/kcmp.h>
#include <signal.h>
#include <sys/ptrace.h>
#include <sys/uio.h>

#include "tests/escape/attack.h"

int main(void) {
    static char secret[8] = "secret";
    const pid_t sibling = fork();
    if (sibling == 0) {
        pause();
        _exit(0);
    }
    char copy[8];
    const struct iovec local = {copy, sizeof copy}, remote = {secret, sizeof secret};
    call("process_vm_readv", syscall(SYS_process_vm_readv, sibling, &local, 1, &remote, 1, 0));
    call("process_vm_writev", syscall(SYS_process_vm_writev, sibling, &local, 1, &remote, 1, 0));
    call("kcmp", syscall(SYS_kcmp, getpid(), sibling, KCMP_VM, 0, 0));
    const int pidfd = (int)syscall(SYS_pidfd_open, sibling, 0);
    call("pidfd_getfd", syscall(SYS_pidfd_getfd, pidfd, 0, 0));
    call("ptrace", ptrace(PTRACE_SEIZE, sibling, 0, 0));
    kill(sibling, SIGKILL);
    return done();
}
