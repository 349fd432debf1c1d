// Another thread changes the working directory, to a protected one and back, while relative names are made.
#include "tests/races/race.h"

static int ordinary, protected;

static void* change(void* unused) {
    while (!over) {
        if (fchdir(protected) != 0 || fchdir(ordinary) != 0) break;
    }
    return unused;
}

int main(int argc, char** argv) {
    if (argc < 3) return 2;
    need(chdir(argv[1]) == 0 && mkdir("ordinary", 0755) == 0, "ordinary");
    ordinary = open("ordinary", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    protected = open(".claude", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    need(ordinary >= 0 && protected >= 0, "directories");
    begin(argc, argv, change);
    long round = 0;
    for (; round < rounds && !through; ++round) {
        int fd;
        switch (round % 3) {
            case 0:
                count(fd = open("settings.json", O_WRONLY | O_CREAT | O_CLOEXEC, 0644)), close(fd);
                break;
            case 1:
                count(mkdir("settings.json", 0755));
                break;
            default:
                count(symlink("x", "settings.json"));
        }
        if (unlinkat(ordinary, "settings.json", 0) != 0) unlinkat(ordinary, "settings.json", AT_REMOVEDIR);
        through = faccessat(protected, "settings.json", F_OK, AT_SYMLINK_NOFOLLOW) == 0;
    }
    return end(round);
}
