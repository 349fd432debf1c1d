// The directories above are renamed while files are made deep below, so that a path that was read a moment ago is no
// longer that of what is made: `up/one/.claude` is made from `up/one/plain`, `up` becomes another name and comes back.
#include "tests/races/race.h"

static void* change(void* unused) {
    while (!over) {
        rename("up", "down");
        rename("down", "up");
        try_change(rename("up/one/plain", "up/one/.claude"));
        rename("up/one/.claude", "up/one/plain");
    }
    return unused;
}

int main(int argc, char** argv) {
    if (argc < 3) return 2;
    need(chdir(argv[1]) == 0 && mkdir("up", 0755) == 0 && mkdir("up/one", 0755) == 0 &&
             mkdir("up/one/plain", 0755) == 0,
         "up");
    const int deep = open("up/one/plain", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    const int middle = open("up/one", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    begin(argc, argv, change);
    long round = 0;
    for (; round < rounds && !through; ++round) {
        int fd;
        switch (round % 3) {
            case 0:
                fd = openat(deep, "settings.json", O_WRONLY | O_CREAT | O_CLOEXEC, 0644);
                break;
            case 1:
                fd = openat(middle, "plain/settings.json", O_WRONLY | O_CREAT | O_CLOEXEC, 0644);
                break;
            default:
                fd = open("up/one/plain/settings.json", O_WRONLY | O_CREAT | O_CLOEXEC, 0644);
        }
        count(fd);
        if (fd >= 0) close(fd);
        through = faccessat(middle, ".claude/settings.json", F_OK, AT_SYMLINK_NOFOLLOW) == 0;
        if (through) {  // held in its place, for who looks from outside
            over = true;
            pthread_join(changer, NULL);
            through = renameat(middle, "plain", middle, ".claude") == 0 ||
                      faccessat(middle, ".claude/settings.json", F_OK, AT_SYMLINK_NOFOLLOW) == 0;
            printf("rounds %ld, passed %ld, refused %ld, through %d\n", round + 1, passed, (long)refused,
                   through);
            return through ? 0 : 1;
        }
        unlinkat(deep, "settings.json", 0);
    }
    return end(round);
}
