// Takes over the session's first process: its registers, its memory, its descriptors.
#include <linux/kcmp.h>
#include <sys/ptrace.h>
#include <sys/uio.h>

#include "tests/escape/attack.h"

int main(void) {
    call("ptrace", ptrace(PTRACE_SEIZE, 1, 0, 0));
    ptrace(PTRACE_DETACH, 1, 0, 0);
    char byte;
    const struct iovec local = {&byte, 1}, remote = {&byte, 1};
    past("process_vm_readv", syscall(SYS_process_vm_readv, 1, &local, 1, &remote, 1, 0));
    past("process_vm_writev", syscall(SYS_process_vm_writev, 1, &local, 1, &remote, 1, 0));
    call("kcmp", syscall(SYS_kcmp, 1, 1, KCMP_VM, 0, 0));
    const int init = (int)syscall(SYS_pidfd_open, 1, 0);
    call("pidfd_getfd", syscall(SYS_pidfd_getfd, init, 0, 0));
    return done();
}
