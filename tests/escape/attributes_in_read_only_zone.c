// Changes attributes and lengths in a read-only zone: what Landlock has no right for, so that only the mount
// forbids it. Argument: the zone, which has `file`.
#include <linux/fs.h>
#include <sys/ioctl.h>
#include <sys/xattr.h>

#include "tests/escape/attack.h"

int main(int argc, char** argv) {
    if (argc != 2 || chdir(argv[1]) != 0) return 2;
    const int fd = open("file", O_RDONLY);
    if (fd < 0) return 2;
    call("chmod", chmod("file", 0777));
    call("fchmod", fchmod(fd, 0777));
    call("chown", chown("file", getuid(), getgid()));
    call("fchown", fchown(fd, getuid(), getgid()));
    const struct timespec times[2] = {{1, 0}, {1, 0}};
    call("utimensat", utimensat(AT_FDCWD, "file", times, 0));
    call("futimens", futimens(fd, times));
    call("setxattr", setxattr("file", "user.evil", "x", 1, 0));
    call("fsetxattr", fsetxattr(fd, "user.evil", "x", 1, 0));
    call("removexattr", removexattr("file", "user.evil"));
    int flags = 0;
    if (ioctl(fd, FS_IOC_GETFLAGS, &flags) == 0) flags |= FS_NODUMP_FL;
    call("flags", ioctl(fd, FS_IOC_SETFLAGS, &flags));
    call("open to truncate", open("file", O_RDONLY | O_TRUNC));
    call("truncate", truncate("file", 0));
    char path[64];
    snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
    call("truncate by descriptor", truncate(path, 0));
    return done();
}
