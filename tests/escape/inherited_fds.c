// Uses what was left open: any descriptor but the three standard ones.
#include <dirent.h>

#include "tests/escape/attack.h"

int main(void) {
    DIR* directory = opendir("/proc/self/fd");
    if (directory == NULL) return 2;
    int left = 0;
    for (const struct dirent* entry; (entry = readdir(directory)) != NULL;) {
        const int fd = atoi(entry->d_name);
        if (entry->d_name[0] == '.' || fd <= 2 || fd == dirfd(directory)) continue;
        char path[64], target[256] = "";
        snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
        if (readlink(path, target, sizeof target - 1) < 0) continue;
        printf("%d is %s\n", fd, target);
        ++left;
    }
    way("descriptors", left > 0, 0);
    return done();
}
