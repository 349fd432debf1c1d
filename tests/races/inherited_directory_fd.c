// Children that inherit a descriptor of a protected directory, and a working directory in it, make names there, while
// the parent moves what is above. No path of theirs says where they are.
#include "tests/races/race.h"

#include <sys/wait.h>

static void* change(void* unused) {
    while (!over) {
        rename("holder", "other");
        rename("other", "holder");
    }
    return unused;
}

static int child_at(int directory, bool by_working_directory) {
    const pid_t child = fork();
    need(child >= 0, "fork");
    if (child == 0) {
        for (int i = 0; i < 20; ++i) {
            int fd;
            if (by_working_directory)
                fd = fchdir(directory) == 0 ? open("evil", O_WRONLY | O_CREAT | O_CLOEXEC, 0755) : -1;
            else
                fd = openat(directory, "./../hooks/evil", O_WRONLY | O_CREAT | O_CLOEXEC, 0755);
            if (fd >= 0) _exit(0);
        }
        _exit(errno);
    }
    int status;
    need(waitpid(child, &status, 0) == child, "waitpid");
    return WIFEXITED(status) ? WEXITSTATUS(status) : EINTR;
}

int main(int argc, char** argv) {
    if (argc < 3) return 2;
    need(chdir(argv[1]) == 0 && mkdir("holder", 0755) == 0, "holder");
    const int hooks = open(".git/hooks", O_RDONLY | O_DIRECTORY);
    need(hooks >= 0, ".git/hooks");
    begin(argc, argv, change);
    long round = 0;
    for (; round < rounds && !through; round += 20) {
        errno = child_at(hooks, round % 40 == 0);
        count(errno == 0 ? 0 : -1);
        // What is allowed goes on meanwhile.
        const int fd = open("allowed", O_WRONLY | O_CREAT | O_CLOEXEC, 0644);
        count(fd);
        if (fd >= 0) close(fd);
        unlink("allowed");
        through = faccessat(hooks, "evil", F_OK, AT_SYMLINK_NOFOLLOW) == 0;
    }
    return end(round);
}
