// Gets writing rights to the host's file that is this program's standard input, opened for reading.
#include <sys/xattr.h>

#include "tests/escape/attack.h"

int main(void) {
    call("reopen", open("/proc/self/fd/0", O_WRONLY));
    call("reopen by /dev", open("/dev/stdin", O_RDWR));
    call("truncate", truncate("/proc/self/fd/0", 0));
    call("chmod", fchmod(0, 0777));
    call("setxattr", fsetxattr(0, "user.evil", "x", 1, 0));
    const struct timespec times[2] = {{1, 0}, {1, 0}};
    call("utimens", futimens(0, times));
    return done();
}
