// The middle of a chain of symbolic links is replaced all the time: it ends at an ordinary file, or at one that may not
// be made, or at one that may not be read. Argument 3: a file that may not be read, with "PRIVATE KEY" in it.
#include "tests/races/race.h"

static const char* secret;

static void aim(const char* target) {
    unlink("aim");
    if (symlink(target, "aim") == 0) rename("aim", "middle");
}

static void* change(void* unused) {
    while (!over) {
        aim("plain");
        aim(".mcp.json");
        aim(secret);
    }
    return unused;
}

int main(int argc, char** argv) {
    if (argc != 4) return 2;
    secret = argv[3];
    need(chdir(argv[1]) == 0 && symlink("plain", "middle") == 0, "middle");
    char from[20] = "middle", to[20];
    for (int hop = 0; hop < 30; ++hop) {
        snprintf(to, sizeof to, "hop%d", hop);
        need(symlink(from, to) == 0, to);
        snprintf(from, sizeof from, "hop%d", hop);
    }
    begin(argc, argv, change);
    long round = 0;
    for (; round < rounds && !through; ++round) {
        const int fd = open(from, round % 2 == 0 ? O_RDWR | O_CREAT | O_CLOEXEC : O_RDONLY | O_CLOEXEC, 0644);
        count(fd);
        char text[64];
        const ssize_t got = fd < 0 ? 0 : read(fd, text, sizeof text);
        if (fd >= 0) close(fd);
        unlink("plain");
        through = exists(".mcp.json") || (got > 0 && memmem(text, (size_t)got, "PRIVATE KEY", 11) != NULL);
    }
    return end(round);
}
