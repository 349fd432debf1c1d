// Has groups that are not the person's, or takes one. Arguments: the person's groups.
#include <grp.h>

#include "tests/escape/attack.h"

int main(int argc, char** argv) {
    gid_t groups[1024];
    int count = getgroups(1023, groups);
    groups[count++] = getegid();
    int strange = 0;
    for (int i = 0; i < count; ++i) {
        int known = 0;
        for (int j = 1; j < argc; ++j) known |= groups[i] == (gid_t)strtoul(argv[j], NULL, 10);
        strange += !known;
    }
    way("groups", strange > 0, EPERM);
    const gid_t wheel = 0;
    call("setgroups", setgroups(1, &wheel));
    call("setgid", setresgid(0, 0, 0));
    call("setuid", setresuid(0, 0, 0));
    return done();
}
