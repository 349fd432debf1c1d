// Calls that everybody may make and nobody in a session needs: quotas, segments of the processor, where pages
// lie.
#include <sys/quota.h>

#include "tests/escape/attack.h"

int main(void) {
    past("quotactl", syscall(SYS_quotactl, QCMD(Q_SYNC, USRQUOTA), NULL, 0, NULL));
    past("move_pages", syscall(SYS_move_pages, 0, 0L, NULL, NULL, NULL, 0));
#if defined(__x86_64__)
    char buffer[64];
    past("modify_ldt", syscall(SYS_modify_ldt, 0, buffer, sizeof buffer));
#endif
    return done();
}
