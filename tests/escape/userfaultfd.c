// Handles its own page faults, with which races in the kernel are won at will.
#include "tests/escape/attack.h"

int main(void) {
    call("userfaultfd", syscall(SYS_userfaultfd, 1 /* UFFD_USER_MODE_ONLY */));
    return done();
}
