// Moves the directory above a protected one to another name, changes what is in it there, and moves it back; or makes
// another in its place. Runs in the directory of argument 1, which has .git/hooks.
#include "tests/escape/attack.h"

static int make(const char* path) {
    const int fd = open(path, O_WRONLY | O_CREAT, 0755);
    if (fd >= 0) close(fd);
    return fd;
}

static void there(const char* by, int error) {
    struct stat s;
    way(by, lstat(".git/hooks/evil", &s) == 0, error);
    unlink(".git/hooks/evil");
    unlink("tig/hooks/evil");
    unlink("hooks/evil");
}

int main(int argc, char** argv) {
    if (argc != 2 || chdir(argv[1]) != 0) return 2;
    int error = 0;
    if (rename(".git", "tig") != 0) error = errno;
    if (make("tig/hooks/evil") < 0) error = errno;
    rename("tig", ".git");
    there("there and back", error);
    if (rename(".git/hooks", "hooks") != 0) error = errno;
    make("hooks/evil");
    rename("hooks", ".git/hooks");
    there("the directory itself", error);
    if (rename(".git", "old") != 0) error = errno;
    mkdir(".git", 0755);
    mkdir(".git/hooks", 0755);
    if (make(".git/hooks/evil") < 0) error = errno;
    there("another in its place", error);
    // The working directory stays in it, whatever is moved above.
    mkdir("outer", 0755);
    if (chdir(".git/hooks") != 0) return 2;
    if (rename("../../.git", "../../outer/.git") != 0) error = errno;
    if (make("evil") < 0) error = errno;
    if (chdir(argv[1]) != 0) return 2;
    rename("outer/.git", ".git");
    there("from within", error);
    return done();
}
