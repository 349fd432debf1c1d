// A directory and a symbolic link to a protected one are exchanged all the time, while files are made through the name.
#include "tests/races/race.h"

static void* change(void* unused) {
    while (!over) exchange("swap/a", "swap/b");
    return unused;
}

int main(int argc, char** argv) {
    if (argc < 3) return 2;
    need(chdir(argv[1]) == 0 && mkdir("swap", 0755) == 0 && mkdir("swap/a", 0755) == 0, "swap");
    need(symlink("../.claude", "swap/b") == 0, "symlink");
    const int directory = open("swap/a", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    begin(argc, argv, change);
    make("source");
    long round = 0;
    for (; round < rounds && !through; ++round) {
        const char* name = "swap/a/settings.json";
        int fd;
        switch (round % 4) {
            case 0:
                count(fd = open(name, O_WRONLY | O_CREAT | O_CLOEXEC, 0644)), close(fd);
                break;
            case 1:
                count(link("source", name));
                break;
            case 2:
                make("moving"), count(rename("moving", name));
                break;
            default:
                count(symlink("x", name));
        }
        // By a descriptor of the directory itself: by the names, it could remove what got through.
        unlinkat(directory, "settings.json", 0);
        through = exists(".claude/settings.json");
    }
    return end(round);
}
