// Changes what is in a read-only zone, whose files belong to the person, by every call that makes, removes,
// moves or writes. Argument: the zone, which has `file` and `empty/`.
#include <sys/socket.h>
#include <sys/un.h>

#include "tests/escape/attack.h"

int main(int argc, char** argv) {
    if (argc != 2) return 2;
    close(open("mine", O_WRONLY | O_CREAT, 0644));
    const int work = open(".", O_RDONLY | O_DIRECTORY);
    if (work < 0 || chdir(argv[1]) != 0) return 2;
    call("open for writing", open("file", O_WRONLY));
    call("open for both", open("file", O_RDWR));
    call("creat", creat("new", 0644));
    call("create", open("new2", O_WRONLY | O_CREAT | O_EXCL, 0644));
    call("unnamed file", open(".", O_WRONLY | O_TMPFILE, 0644));
    const int fd = open("file", O_RDONLY);
    char path[64];
    snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
    call("reopen", open(path, O_WRONLY));
    call("mkdir", mkdir("directory", 0755));
    call("mknod", mknod("fifo", S_IFIFO | 0644, 0));
    call("symlink", symlink("file", "symlink"));
    call("link", link("file", "hard"));
    call("rename in", renameat(work, "mine", AT_FDCWD, "file"));
    call("rename", rename("file", "renamed"));
    rename("renamed", "file");
    const int unix_socket = socket(AF_UNIX, SOCK_STREAM, 0);
    struct sockaddr_un address = {.sun_family = AF_UNIX, .sun_path = "socket"};
    call("bind", bind(unix_socket, (struct sockaddr*)&address, sizeof address));
    call("rmdir", rmdir("empty"));
    call("unlink", unlink("file"));
    return done();
}
