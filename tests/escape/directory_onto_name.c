// Builds a directory with what may not be there, elsewhere, and moves it to where it counts: `x/hooks/evil`, then
// `mv x .git`. Runs in the directory of argument 1, which has .git/hooks.
#include <linux/fs.h>

#include "tests/escape/attack.h"

static void build(const char* top, const char* below, const char* file) {
    char path[300];
    mkdir(top, 0755);
    if (*below != '\0') {
        snprintf(path, sizeof path, "%s/%s", top, below);
        mkdir(path, 0755);
    }
    snprintf(path, sizeof path, "%s/%s%s%s", top, below, *below ? "/" : "", file);
    close(open(path, O_WRONLY | O_CREAT, 0755));
}

static void arrived(const char* by, const char* path, int error) {
    struct stat s;
    way(by, lstat(path, &s) == 0, error);
}

int main(int argc, char** argv) {
    if (argc != 2 || chdir(argv[1]) != 0) return 2;
    build("x", "hooks", "evil");
    // Whether .git itself moves is one thing, what takes its place another.
    int moved = rename(".git", "away");
    int error = errno;
    if (rename("x", ".git") != 0) error = errno;
    arrived("away and onto", ".git/hooks/evil", error);
    if (moved == 0) {
        rename(".git", "x");
        rename("away", ".git");
    }
    if (syscall(SYS_renameat2, AT_FDCWD, "x", AT_FDCWD, ".git", RENAME_EXCHANGE) != 0) error = errno;
    arrived("exchange", ".git/hooks/evil", error);
    syscall(SYS_renameat2, AT_FDCWD, "x", AT_FDCWD, ".git", RENAME_EXCHANGE);
    if (syscall(SYS_renameat2, AT_FDCWD, "x/hooks", AT_FDCWD, ".git/hooks", RENAME_EXCHANGE) != 0)
        error = errno;
    arrived("exchange below", ".git/hooks/evil", error);
    syscall(SYS_renameat2, AT_FDCWD, "x/hooks", AT_FDCWD, ".git/hooks", RENAME_EXCHANGE);
    if (rename("x/hooks", "fresh") == 0) {
        mkdir("sub", 0755);
        mkdir("sub/.git", 0755);
        if (rename("fresh", "sub/.git/hooks") != 0) error = errno;
        arrived("into a new one", "sub/.git/hooks/evil", error);
    }
    build("y", "", "settings.json");
    if (rename("y", ".claude") != 0) error = errno;
    arrived("a directory of settings", ".claude/settings.json", error);
    // By its parent: `z/a/settings.json` becomes `w/.claude/settings.json` in two moves.
    mkdir("z", 0755);
    build("z/a", "", "settings.json");
    if (rename("z", "w") != 0 || rename("w/a", "w/.claude") != 0) error = errno;
    arrived("in two moves", "w/.claude/settings.json", error);
    // A descriptor of the directory goes with it.
    mkdir("v", 0755);
    const int fd = open("v", O_RDONLY | O_DIRECTORY);
    if (rename("v", "v2") == 0 && (mkdir("v3", 0755) != 0 || rename("v2", "v3/.claude") != 0)) error = errno;
    const int file = openat(fd, "settings.json", O_WRONLY | O_CREAT, 0644);
    if (file < 0) error = errno;
    arrived("filled after it moved", "v3/.claude/settings.json", error);
    return done();
}
