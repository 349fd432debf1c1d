// Finds a key in the keyring of the person, where programs of the host keep their secrets.
#include <linux/keyctl.h>

#include "tests/escape/attack.h"

int main(void) {
    call("search", syscall(SYS_keyctl, KEYCTL_SEARCH, KEY_SPEC_USER_KEYRING, "user", "reeve-secret", 0));
    return done();
}
