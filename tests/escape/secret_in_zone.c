// Reads a file of the workspace that may not be read, by its path, by other names, by descriptors. Runs in the
// directory of argument 1; argument 2 is the file, with "PRIVATE KEY" in it.
#include <linux/fs.h>
#include <sys/mman.h>

#include "tests/escape/attack.h"

static const char* const kText = "PRIVATE KEY";

int main(int argc, char** argv) {
    if (argc != 3 || chdir(argv[1]) != 0) return 2;
    const char* file = argv[2];
    char path[4200];
    way("path", reads(AT_FDCWD, file, kText), errno);
    snprintf(path, sizeof path, ".//./%s", file);
    way("other spelling", reads(AT_FDCWD, path, kText), errno);
    if (symlink(file, "to-it") == 0) way("link to it", reads(AT_FDCWD, "to-it", kText), errno);
    const int held = open(file, O_PATH);
    snprintf(path, sizeof path, "/proc/self/fd/%d", held);
    way("O_PATH opened again", reads(AT_FDCWD, path, kText), errno);
    char buffer[100];
    const int fd = open(file, O_RDWR);
    way("open to read and write", fd >= 0 && read(fd, buffer, sizeof buffer) > 0, errno);
    const int created = open(file, O_RDWR | O_CREAT | O_APPEND, 0600);
    way("open to create", created >= 0 && read(created, buffer, sizeof buffer) > 0, errno);
    const int link_fd = link(file, "alias");
    way("second name", link_fd == 0 && reads(AT_FDCWD, "alias", kText), errno);
    unlink("alias");
    const int renamed = rename(file, "plain");
    way("another name", renamed == 0 && reads(AT_FDCWD, "plain", kText), errno);
    if (renamed == 0) rename("plain", file);
    close(open("own", O_WRONLY | O_CREAT, 0644));
    const int exchanged = (int)syscall(SYS_renameat2, AT_FDCWD, "own", AT_FDCWD, file, RENAME_EXCHANGE);
    way("exchange", exchanged == 0 && reads(AT_FDCWD, "own", kText), errno);
    if (exchanged == 0) syscall(SYS_renameat2, AT_FDCWD, "own", AT_FDCWD, file, RENAME_EXCHANGE);
    // The directory above by another name.
    mkdir("holder", 0755);
    if (rename(file, "holder/x") == 0) {
        way("moved into a directory", reads(AT_FDCWD, "holder/x", kText), errno);
        rename("holder/x", file);
    }
    return done();
}
