// Real directories change places, by rename and exchange, while a file is made in one of them by name, by a descriptor
// that was opened before, and by the working directory: `ordinary/hooks` becomes `.git/hooks`.
#include "tests/races/race.h"

static void* change(void* unused) {
    while (!over) {
        try_change(exchange("ordinary", ".git"));
        try_change(exchange("ordinary/hooks", ".git/hooks"));
        rename("ordinary", "moved");
        const int gone = rename(".git", "away");
        try_change(gone);
        if (gone == 0 && rename("moved", ".git") != 0) rename("away", ".git");
        rename("away", "ordinary");
        rename("moved", "ordinary");
    }
    return unused;
}

int main(int argc, char** argv) {
    if (argc < 3) return 2;
    need(chdir(argv[1]) == 0 && mkdir("ordinary", 0755) == 0 && mkdir("ordinary/hooks", 0755) == 0,
         "ordinary");
    const int directory = open("ordinary/hooks", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    const int top = open(".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    begin(argc, argv, change);
    long round = 0;
    for (; round < rounds && !through; ++round) {
        int fd = -1;
        switch (round % 4) {
            case 0:
                fd = openat(directory, "evil", O_WRONLY | O_CREAT | O_CLOEXEC, 0755);
                break;
            case 1:
                fd = open("ordinary/hooks/evil", O_WRONLY | O_CREAT | O_CLOEXEC, 0755);
                break;
            case 2:
                fd = mkdirat(directory, "evil", 0755);
                break;
            default:
                fd = symlinkat("/bin/true", directory, "evil");
        }
        count(fd);
        if (fd > 2) close(fd);
        through = faccessat(top, ".git/hooks/evil", F_OK, AT_SYMLINK_NOFOLLOW) == 0;
        if (through) break;
        if (unlinkat(directory, "evil", 0) != 0) unlinkat(directory, "evil", AT_REMOVEDIR);
    }
    return end(round);
}
