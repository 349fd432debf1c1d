// Changes a file that is there and may not be changed: what it holds, its name, its mode, its times. Runs in the
// directory of argument 1; argument 2 is the file.
#include <linux/fs.h>
#include <sys/xattr.h>

#include "tests/escape/attack.h"

static long closed(int fd) {
    if (fd >= 0) close(fd);
    return fd;
}

int main(int argc, char** argv) {
    if (argc != 3 || chdir(argv[1]) != 0) return 2;
    const char* file = argv[2];
    call("write", closed(open(file, O_WRONLY)));
    call("append", closed(open(file, O_WRONLY | O_APPEND)));
    call("read and write", closed(open(file, O_RDWR)));
    call("truncate by open", closed(open(file, O_WRONLY | O_TRUNC)));
    // For reading it is opened, and yet emptied.
    call("truncate by a reader", closed(open(file, O_RDONLY | O_TRUNC)));
    call("mode 3", closed(open(file, O_ACCMODE)));
    call("truncate", truncate(file, 0));
    const int reader = open(file, O_RDONLY), path = open(file, O_PATH);
    char by[64];
    if (reader >= 0) {
        snprintf(by, sizeof by, "/proc/self/fd/%d", reader);
        call("reader opened again", closed(open(by, O_RDWR)));
        call("truncate by proc", truncate(by, 0));
        call("chmod of a reader", fchmod(reader, 0666));
        call("chown of a reader", fchown(reader, getuid(), getgid()));
        call("times of a reader", futimens(reader, NULL));
        call("attribute of a reader", fsetxattr(reader, "user.evil", "1", 1, 0));
    }
    snprintf(by, sizeof by, "/proc/self/fd/%d", path);
    call("O_PATH opened again", closed(open(by, O_WRONLY)));
    snprintf(by, sizeof by, "/dev/fd/%d", path);
    call("O_PATH opened by dev", closed(open(by, O_WRONLY | O_CREAT, 0644)));
    call("chmod", chmod(file, 0666));
    call("chown", chown(file, getuid(), getgid()));
    call("times", utimensat(AT_FDCWD, file, NULL, 0));
    call("attribute", setxattr(file, "user.evil", "1", 1, 0));
    call("link", link(file, "alias"));
    const int alias = open("alias", O_WRONLY);
    way("write by the link", alias >= 0, errno);
    unlink("alias");
    if (symlink(file, "to-it") == 0) call("write over a link", closed(open("to-it", O_WRONLY)));
    if (symlink("to-it", "to-that") == 0) call("truncate over links", truncate("to-that", 0));
    close(open("own", O_WRONLY | O_CREAT, 0644));
    call("exchange", syscall(SYS_renameat2, AT_FDCWD, "own", AT_FDCWD, file, RENAME_EXCHANGE));
    syscall(SYS_renameat2, AT_FDCWD, "own", AT_FDCWD, file, RENAME_EXCHANGE);
    call("rename away", rename(file, "moved"));
    rename("moved", file);
    close(open("own", O_WRONLY | O_CREAT, 0644));
    call("rename onto", rename("own", file));
    call("unlink", unlink(file));
    return done();
}
