// Puts a symbolic link where a directory with protected names would be, or is, so that they lead to files that nobody
// protects (CVE-2026-39861): what follows the link later finds them under their names. Runs in the directory of
// argument 1, which has .git/hooks, empty.
#include <linux/fs.h>

#include "tests/escape/attack.h"

static void arrived(const char* by, const char* path, int error) {
    struct stat s;
    way(by, stat(path, &s) == 0, error);
}

static void build(const char* directory, const char* file) {
    char path[200];
    mkdir(directory, 0755);
    snprintf(path, sizeof path, "%s/%s", directory, file);
    close(open(path, O_WRONLY | O_CREAT, 0755));
}

int main(int argc, char** argv) {
    if (argc != 2 || chdir(argv[1]) != 0) return 2;
    int error = 0;
    build("elsewhere", "settings.json");
    if (symlink("elsewhere", ".claude") != 0) error = errno;
    arrived("where nothing is", ".claude/settings.json", error);
    unlink(".claude");
    if (symlink("elsewhere", "link") != 0 || rename("link", ".claude") != 0) error = errno;
    arrived("by rename", ".claude/settings.json", error);
    unlink(".claude");
    unlink("link");
    if (symlink("elsewhere", "link") != 0 || link("link", ".claude") != 0) error = errno;
    arrived("by a hard link of a link", ".claude/settings.json", error);
    unlink(".claude");
    mkdir(".claude", 0755);
    if (syscall(SYS_renameat2, AT_FDCWD, "link", AT_FDCWD, ".claude", RENAME_EXCHANGE) != 0) error = errno;
    arrived("by exchange with a directory", ".claude/settings.json", error);
    // The link is only aimed afterwards, or what it leads to is made afterwards.
    mkdir("late", 0755);
    if (symlink("aim", "late/.claude") != 0) error = errno;
    build("late/aim", "settings.json");
    arrived("filled afterwards", "late/.claude/settings.json", error);
    mkdir("above", 0755);
    build("above/plain", "settings.json");
    if (symlink("plain", "above/.claude") != 0) error = errno;
    arrived("below", "above/.claude/settings.json", error);
    build("hooks", "evil");
    if (rmdir(".git/hooks") != 0 || symlink("../hooks", ".git/hooks") != 0) error = errno;
    arrived("in the place of a directory", ".git/hooks/evil", error);
    unlink(".git/hooks");
    mkdir(".git/hooks", 0755);
    return done();
}
