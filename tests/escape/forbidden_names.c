// Makes a name that may not be made, by every call that makes names (CVE-2026-25725: settings of agents that the host
// does not have). Arguments: the directory, the name.
#include <linux/fs.h>
#include <stddef.h>
#include <sys/socket.h>
#include <sys/un.h>

#include "tests/escape/attack.h"

static const char* name;

// What came of it is what there is, and not what the call said; it is taken away for the next way.
static void made(const char* by, long result) {
    const int error = errno;
    struct stat s;
    way(by, lstat(name, &s) == 0, result < 0 ? error : 0);
    if (unlink(name) != 0) rmdir(name);
}

static void make(const char* path) {
    close(open(path, O_WRONLY | O_CREAT | O_TRUNC, 0644));
}

int main(int argc, char** argv) {
    if (argc != 3 || chdir(argv[1]) != 0) return 2;
    name = argv[2];
    made("open", open(name, O_WRONLY | O_CREAT, 0644));
    made("open exclusively", open(name, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0644));
    made("open to read", open(name, O_RDONLY | O_CREAT, 0644));
    made("open with flags that are none", open(name, O_WRONLY | O_CREAT | 0x40000000, 0644));
    made("creat", creat(name, 0644));
    made("mkdir", mkdir(name, 0755));
    made("mkfifo", mkfifo(name, 0644));
    made("mknod", mknod(name, S_IFREG | 0644, 0));
    made("symlink", symlink("/bin/true", name));
    make("other");
    made("link", link("other", name));
    const int here = open(".", O_RDONLY | O_DIRECTORY);
    made("linkat", linkat(here, "other", here, name, 0));
    const int other = open("other", O_PATH);
    made("link by an empty path", linkat(other, "", AT_FDCWD, name, AT_EMPTY_PATH));
    char path[64];
    snprintf(path, sizeof path, "/proc/self/fd/%d", other);
    made("link by /proc", linkat(AT_FDCWD, path, AT_FDCWD, name, AT_SYMLINK_FOLLOW));
    const int unnamed = open(".", O_TMPFILE | O_RDWR, 0644);
    snprintf(path, sizeof path, "/proc/self/fd/%d", unnamed);
    made("unnamed file", linkat(AT_FDCWD, path, AT_FDCWD, name, AT_SYMLINK_FOLLOW));
    made("rename", rename("other", name));
    make("other");
    made("rename without replacing", syscall(SYS_renameat2, AT_FDCWD, "other", here, name, RENAME_NOREPLACE));
    mkdir("directory", 0755);
    made("rename of a directory", rename("directory", name));
    if (symlink("x", "link") == 0) made("rename of a link", rename("link", name));
    if (mkfifo("fifo", 0644) == 0) made("rename of a fifo", rename("fifo", name));
    if (symlink(name, "dangling") == 0) {
        made("over a dangling link", open("dangling", O_WRONLY | O_CREAT, 0644));
        if (symlink("dangling", "twice") == 0) made("over two links", creat("twice", 0644));
    }
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    snprintf(address.sun_path, sizeof address.sun_path, "%s", name);
    made("bind", bind(socket(AF_UNIX, SOCK_STREAM, 0), (struct sockaddr*)&address, sizeof address));
    // By the old numbers, which libraries do not use any more.
#if defined(SYS_open)
    made("the call open", syscall(SYS_open, name, O_WRONLY | O_CREAT, 0644));
    made("the call creat", syscall(SYS_creat, name, 0644));
    made("the call mkdir", syscall(SYS_mkdir, name, 0755));
    made("the call mknod", syscall(SYS_mknod, name, S_IFIFO | 0644, 0));
    made("the call symlink", syscall(SYS_symlink, "x", name));
    make("other");
    made("the call link", syscall(SYS_link, "other", name));
    made("the call rename", syscall(SYS_rename, "other", name));
    make("other");
    made("the call renameat", syscall(SYS_renameat, AT_FDCWD, "other", AT_FDCWD, name));
#endif
    // What the kernel ignores must not confuse who reads the arguments before it.
    made("high bits of the directory",
         syscall(SYS_openat, 0x5a5a000000000000L | (unsigned)AT_FDCWD, name, O_WRONLY | O_CREAT, 0644));
    made("high bits of the flags",
         syscall(SYS_openat, AT_FDCWD, name, 0x5a5a000000000000L | O_WRONLY | O_CREAT, 0644));
    return done();
}
