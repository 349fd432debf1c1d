// A directory's number means one directory now and a protected one a moment later, by dup2: what the call looked up
// must be what was judged.
#include "tests/races/race.h"

enum { kNumber = 50 };
static int ordinary, protected;

static void* change(void* unused) {
    while (!over) {
        dup2(protected, kNumber);
        dup2(ordinary, kNumber);
    }
    return unused;
}

int main(int argc, char** argv) {
    if (argc < 3) return 2;
    need(chdir(argv[1]) == 0 && mkdir("ordinary", 0755) == 0, "ordinary");
    ordinary = open("ordinary", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    protected = open(".claude", O_PATH | O_CLOEXEC);
    need(ordinary >= 0 && protected >= 0 && dup2(ordinary, kNumber) == kNumber, "directories");
    begin(argc, argv, change);
    make("source");
    long round = 0;
    for (; round < rounds && !through; ++round) {
        const char* name = "settings.json";
        int fd;
        switch (round % 5) {
            case 0:
                count(fd = openat(kNumber, name, O_WRONLY | O_CREAT | O_CLOEXEC, 0644)), close(fd);
                break;
            case 1:
                count(mkdirat(kNumber, name, 0755));
                break;
            case 2:
                count(symlinkat("x", kNumber, name));
                break;
            case 3:
                count(linkat(AT_FDCWD, "source", kNumber, name, 0));
                break;
            default:
                make("moving"), count(renameat(AT_FDCWD, "moving", kNumber, name));
        }
        if (unlinkat(ordinary, name, 0) != 0) unlinkat(ordinary, name, AT_REMOVEDIR);
        through = exists(".claude/settings.json");
    }
    return end(round);
}
