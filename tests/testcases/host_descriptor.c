// With a descriptor on the host's root directory (9), which somebody outside has sent: tries to change what lies below.
// Arguments: a file of the host, its directory, both relative to the root. Prints each way that got through.
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

enum { kHost = 9 };
static int through;

static void tried(const char* way, long result) {
    if (result < 0) return;
    printf("%s got through\n", way);
    through = 1;
}

int main(int argc, char** argv) {
    if (argc < 3) return 2;
    const char *file = argv[1], *directory = argv[2];
    char link[4096];
    const struct timespec times[2] = {{1, 0}, {1, 0}};
    tried("open for writing", openat(kHost, file, O_WRONLY));
    tried("truncate by open", openat(kHost, file, O_RDONLY | O_TRUNC));
    tried("chmod", fchmodat(kHost, file, 0777, 0));
    tried("utimens", utimensat(kHost, file, times, 0));
    tried("unlink", unlinkat(kHost, file, 0));
    tried("rename", renameat(kHost, file, AT_FDCWD, "taken"));
    tried("link", linkat(kHost, file, AT_FDCWD, "taken", 0));
    snprintf(link, sizeof link, "/proc/self/fd/%d/%s", kHost, file);
    tried("open over /proc", open(link, O_RDWR));
    tried("truncate over /proc", truncate(link, 0));
    tried("setxattr over /proc", setxattr(link, "user.x", "x", 1, 0));
    const int read_only = openat(kHost, file, O_RDONLY);
    tried("fchmod", fchmod(read_only, 0777));
    tried("fsetxattr", fsetxattr(read_only, "user.x", "x", 1, 0));
    tried("futimens", futimens(read_only, times));
    snprintf(link, sizeof link, "/proc/self/fd/%d", read_only);
    tried("open again for writing", open(link, O_WRONLY));
    if (fchdir(kHost) != 0 || chdir(directory) != 0) return 2;
    tried("create", open("made", O_WRONLY | O_CREAT, 0644));
    tried("mkdir", mkdir("made", 0755));
    tried("symlink", symlink("x", "made"));
    tried("mknod", mknod("made", S_IFIFO | 0644, 0));
    tried("unnamed file", open(".", O_TMPFILE | O_RDWR, 0644));
    tried("rmdir", rmdir("empty"));
    return through;
}
