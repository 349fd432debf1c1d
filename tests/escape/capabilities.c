// Has a capability in some set, or gets one.
#include <linux/capability.h>
#include <sys/prctl.h>

#include "tests/escape/attack.h"

int main(void) {
    char line[256];
    FILE* const status = fopen("/proc/self/status", "r");
    while (status != NULL && fgets(line, sizeof line, status) != NULL) {
        if (strncmp(line, "Cap", 3) != 0) continue;
        line[6] = '\0';
        way(line, strtoull(line + 8, NULL, 16) != 0, EPERM);
    }
    call("ambient", prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, CAP_SYS_ADMIN, 0, 0));
    return done();
}
