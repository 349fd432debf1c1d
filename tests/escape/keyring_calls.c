// Uses the kernel's keyrings, which sessions of one person share.
#include <linux/keyctl.h>

#include "tests/escape/attack.h"

int main(void) {
    call("add_key", syscall(SYS_add_key, "user", "reeve-test", "x", 1, KEY_SPEC_PROCESS_KEYRING));
    call("keyctl", syscall(SYS_keyctl, KEYCTL_GET_KEYRING_ID, KEY_SPEC_PROCESS_KEYRING, 1));
    call("request_key", syscall(SYS_request_key, "user", "reeve-test", NULL, KEY_SPEC_PROCESS_KEYRING));
    return done();
}
