// Calls that are about the whole machine, each with arguments that change nothing.
#include "tests/escape/attack.h"

int main(void) {
    past("init_module", syscall(SYS_init_module, NULL, 0L, ""));
    past("finit_module", syscall(SYS_finit_module, -1, "", 0));
    past("delete_module", syscall(SYS_delete_module, "reeve-no-such-module", O_NONBLOCK));
    past("kexec_load", syscall(SYS_kexec_load, 0L, 17L, NULL, 0L));  // more segments than there may be
    past("swapon", syscall(SYS_swapon, "/nowhere", 0));
    past("swapoff", syscall(SYS_swapoff, "/nowhere"));
    past("reboot", syscall(SYS_reboot, 0, 0, 0, NULL));  // no magic numbers
    past("acct", syscall(SYS_acct, "/nowhere"));
    past("settimeofday", syscall(SYS_settimeofday, NULL, NULL));
    past("sethostname", syscall(SYS_sethostname, "evil", -1));
    past("setdomainname", syscall(SYS_setdomainname, "evil", -1));
    past("vhangup", syscall(SYS_vhangup));
#if defined(__x86_64__)
    past("iopl", syscall(SYS_iopl, 3));
    past("ioperm", syscall(SYS_ioperm, 0x80L, 1L, 1));
#endif
    return done();
}
