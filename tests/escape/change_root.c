// Changes its root directory, which is how one leaves a chroot.
#include "attack.h"

int main(void) {
    call("chroot", chroot("."));
    return done();
}
