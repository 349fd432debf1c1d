// Changes its root directory, which is how one leaves a chroot.
#include "tests/escape/attack.h"

int main(void) {
    call("chroot", chroot("."));
    return done();
}
