// The first name of a link, a rename or an exchange flips, in memory, between an ordinary file and one that may not be
// written: what comes of it would be a name by which it can be written, or the place of it made free.
#include "tests/races/race.h"

static char name[] = "xmcp.json";

static void* flip(void* unused) {
    volatile char* first = name;
    while (!over) {
        *first = '.';
        *first = 'x';
    }
    return unused;
}

int main(int argc, char** argv) {
    begin(argc, argv, flip);
    long round = 0;
    for (; round < rounds && !through; ++round) {
        if (!exists("xmcp.json")) make("xmcp.json");
        switch (round % 3) {
            case 0:
                count(link(name, "alias"));
                break;
            case 1:
                count(rename(name, "alias"));
                break;
            default:
                make("alias");
                count(exchange(name, "alias"));
        }
        const int fd = open("alias", O_WRONLY | O_APPEND | O_CLOEXEC);
        if (fd >= 0 && write(fd, "evil\n", 5) != 5) perror("write");
        close(fd);
        unlink("alias");
        through = !holds(".mcp.json", "theirs") || holds(".mcp.json", "evil");
    }
    return end(round);
}
