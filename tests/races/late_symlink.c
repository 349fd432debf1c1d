// The last name is a file, then a link to one that may not be made, and a file again, between decision and call.
#include "tests/races/race.h"

static void* change(void* unused) {
    while (!over) {
        unlink("late");
        if (symlink(".mcp.json", "other") == 0) rename("other", "late");
        unlink("late");
        const int fd = open("late", O_WRONLY | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0644);
        if (fd >= 0) close(fd);
    }
    return unused;
}

int main(int argc, char** argv) {
    begin(argc, argv, change);
    long round = 0;
    for (; round < rounds && !through; ++round) {
        int fd;
        switch (round % 3) {
            case 0:
                fd = open("late", O_WRONLY | O_CREAT | O_CLOEXEC, 0644);
                break;
            case 1:
                fd = creat("late", 0644);
                break;
            default:
                fd = open("./late", O_RDWR | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
        }
        count(fd);
        if (fd >= 0) close(fd);
        through = exists(".mcp.json");
    }
    return end(round);
}
