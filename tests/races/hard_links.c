// Hard links of what may not be written, made while its name goes and comes: by its path, by an open descriptor, by
// O_PATH and an empty path. Any of them would let it be written by another name.
#include "tests/races/race.h"

static void* change(void* unused) {
    while (!over) {
        exchange("near", ".mcp.json");
        rename(".mcp.json", "gone");
        rename("gone", ".mcp.json");
    }
    return unused;
}

int main(int argc, char** argv) {
    if (argc < 3) return 2;
    need(chdir(argv[1]) == 0, argv[1]);
    make("near");
    const int reader = open(".mcp.json", O_RDONLY | O_CLOEXEC), path = open(".mcp.json", O_PATH | O_CLOEXEC);
    need(reader >= 0 && path >= 0, ".mcp.json");
    begin(argc, argv, change);
    char by_proc[64];
    snprintf(by_proc, sizeof by_proc, "/proc/self/fd/%d", reader);
    long round = 0;
    for (; round < rounds && !through; ++round) {
        switch (round % 5) {
            case 0:
                count(link(".mcp.json", "alias"));
                break;
            case 1:
                count(linkat(AT_FDCWD, by_proc, AT_FDCWD, "alias", AT_SYMLINK_FOLLOW));
                break;
            case 2:
                count(linkat(path, "", AT_FDCWD, "alias", AT_EMPTY_PATH));
                break;
            case 3:
                count(link("near", "alias"));
                break;
            default:
                count(open(by_proc, O_WRONLY | O_APPEND | O_CLOEXEC) < 0 ? -1 : (through = true));
        }
        struct stat own, of_alias;
        need(fstat(reader, &own) == 0, "fstat");
        through = through || (stat("alias", &of_alias) == 0 && of_alias.st_ino == own.st_ino);
        if (through) break;
        unlink("alias");
    }
    return end(round);
}
