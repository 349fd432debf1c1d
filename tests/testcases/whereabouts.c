// Says on descriptor 3 which namespaces it is in and whose it is.
#include <limits.h>
#include <stdio.h>
#include <unistd.h>

static void tell(const char* name) {
    char path[64], link[PATH_MAX] = "?";
    snprintf(path, sizeof path, "/proc/self/ns/%s", name);
    if (readlink(path, link, sizeof link - 1) < 0) perror(path);
    dprintf(3, "%s\n", link);
}

int main(void) {
    tell("net");
    tell("ipc");
    tell("uts");
    dprintf(3, "%d %d\n", (int)getuid(), (int)getgid());
    FILE* status = fopen("/proc/self/status", "r");
    char line[256];
    while (status != NULL && fgets(line, sizeof line, status) != NULL)
        if (line[0] == 'C' && line[1] == 'a' && line[2] == 'p') dprintf(3, "%s", line);
    return 0;
}
