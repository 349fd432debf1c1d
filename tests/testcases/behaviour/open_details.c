// Modes of what opens create, the descriptor that they give, directories as starting points, and what can be done with
// what was opened.
#include "tests/testcases/behaviour/observe.h"

#include <linux/openat2.h>
#include <sys/mman.h>
#include <sys/statfs.h>

static void modes(void) {
    static const mode_t kModes[] = {0, 0200, 0400, 0644, 0666, 0777, 01777, 0100644, 070000};
    static const mode_t kMasks[] = {0, 022, 077, 0777};
    char name[100];
    for (unsigned m = 0; m < sizeof kModes / sizeof *kModes; ++m)
        for (unsigned u = 0; u < sizeof kMasks / sizeof *kMasks; ++u) {
            umask(kMasks[u]);
            const int fd = open("made", O_RDWR | O_CREAT | O_EXCL, kModes[m]);
            snprintf(name, sizeof name, "mode %o under umask %o", kModes[m], kMasks[u]);
            in_turn(name, "%s | %s", opened(fd), state_of(fd));
            // A file whose own mode forbids it can be written by who made it.
            if (m == 0) line("write to it", "%s", outcome(write(fd, "x", 1)));
            close(fd);
            unlink("made");
            const int made = creat("made", kModes[m]);
            snprintf(name, sizeof name, "creat %o under umask %o", kModes[m], kMasks[u]);
            in_turn(name, "%s | %s", opened(made), state_of(made));
            close(made);
            unlink("made");
        }
    umask(022);
    put("old", "old", 0640);
    const int fd = creat("old", 0777);
    in_turn("creat keeps the mode of what is there", "%s | %s", opened(fd), state("old"));
    close(fd);
}

static void lowest_descriptor(void) {
    int fds[8];
    for (int i = 0; i < 8; ++i) fds[i] = open("/dev/null", O_RDONLY);
    close(fds[5]);
    close(fds[2]);
    const int first = open("lowest", O_WRONLY | O_CREAT, 0644);
    const int second = open("lowest", O_WRONLY | O_CREAT | O_APPEND, 0644);
    line("the lowest free descriptor is given", "%s %s", first == fds[2] ? "yes" : "no",
         second == fds[5] ? "yes" : "no");
    close(0);
    const int zero = open("lowest", O_RDWR | O_CREAT, 0644);
    line("standard input's too", "%s", zero == 0 ? "yes" : "no");
}

static void starting_points(void) {
    put_directory("start", 0755);
    put_directory("start/deep", 0755);
    put_link("deep", "start/link");
    put("plain", "plain", 0644);
    const int start = open("start", O_RDONLY | O_DIRECTORY), by_path = open("start", O_PATH);
    const int link = open("start/link", O_PATH | O_NOFOLLOW), file = open("plain", O_RDWR);
    char absolute[PATH_MAX + 20];
    snprintf(absolute, sizeof absolute, "%s/start/absolute", here);
    const int flags = O_WRONLY | O_CREAT;
    const struct {
        const char* name;
        int fd;
        const char* path;
    } kWays[] = {
        {"by a directory", start, "one"},
        {"by an O_PATH directory", by_path, "two"},
        {"absolute beside a bad one", -5, absolute},
        {"by a number that is none", 999, "x"},
        {"by -1", -1, "x"},
        {"by a file", file, "x"},
        {"by a file and an empty path", file, ""},
        {"by an O_PATH link", link, "x"},
        {"by a directory and dots", start, "../dots"},
        {"by AT_FDCWD", AT_FDCWD, "start/cwd"},
        {"over a link below", start, "link/through"},
    };
    for (unsigned i = 0; i < sizeof kWays / sizeof *kWays; ++i) {
        const int fd = openat(kWays[i].fd, kWays[i].path, flags, 0644);
        line(kWays[i].name, "%s", opened(fd));
        if (fd >= 0) close(fd);
    }
    line("what they made", "%s %s %s %s %s %s", state("start/one"), state("start/two"),
         state("start/absolute"), state("dots"), state("start/cwd"), state("start/deep/through"));
    OBSERVE("mkdirat by a directory", mkdirat(start, "made", 0777), "start", "start/made");
    OBSERVE("mkdirat by a file", mkdirat(file, "made", 0777), "start");
    OBSERVE("unlinkat by a directory", unlinkat(by_path, "made", AT_REMOVEDIR), "start", "start/made");
    OBSERVE("symlinkat by a directory", symlinkat("nowhere", start, "sym"), "start/sym");
    OBSERVE("renameat by two", renameat(start, "one", AT_FDCWD, "start/deep/moved"), "start/one",
            "start/deep/moved");
    OBSERVE("unlinkat with a flag that is none", unlinkat(start, "two", 0x4000), "start/two");
    // A directory that was moved since is still where it is.
    must(rename("start", "elsewhere") == 0, "rename");
    const int moved = openat(start, "after", flags, 0644);
    in_turn("by a directory that moved", "%s | %s", opened(moved), state("elsewhere/after"));
    must(unlinkat(AT_FDCWD, "plain", 0) == 0, "unlink");
    line("by a file that is gone", "%s", outcome(openat(file, "x", flags, 0644)));
}

static void used(void) {
    const int fd = open("used", O_RDWR | O_CREAT | O_TRUNC, 0644);
    line("write", "%s", outcome(write(fd, "some text", 9)));
    char* mapped = mmap(NULL, 9, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    if (mapped != MAP_FAILED) memcpy(mapped, "more", 4);
    line("map it shared and write", "%s | %s", mapped == MAP_FAILED ? strerrorname_np(errno) : "ok",
         state("used"));
    OBSERVE("fchmod", fchmod(fd, 0600), "used");
    OBSERVE("ftruncate", ftruncate(fd, 4), "used");
    OBSERVE("fallocate", fallocate(fd, 0, 0, 20), "used");
    OBSERVE("fsync", fsync(fd), "used");
    const int second = open("used", O_WRONLY | O_APPEND);
    OBSERVE("append", write(second, "end", 3), "used");
    in_turn("pwrite appends too", "%s | %s", outcome(pwrite(second, "END", 3, 0)), state("used"));
    line("lseek in both", "%ld %ld", (long)lseek(fd, 0, SEEK_CUR), (long)lseek(second, 0, SEEK_CUR));
    char link[64], target[PATH_MAX];
    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    ssize_t got = readlink(link, target, sizeof target - 1);
    target[got < 0 ? 0 : got] = '\0';
    line("its path by /proc", "%s", shortened(target));
    struct stat a, b;
    must(fstat(fd, &a) == 0 && stat("used", &b) == 0, "stat");
    line("the same device and inode by both", "%s",
         a.st_dev == b.st_dev && a.st_ino == b.st_ino ? "yes" : "no");
    struct statx x, y;
    must(
        statx(fd, "", AT_EMPTY_PATH, STATX_MNT_ID, &x) == 0 && statx(AT_FDCWD, ".", 0, STATX_MNT_ID, &y) == 0,
        "statx");
    line("on the mount of its directory", "%s", x.stx_mnt_id == y.stx_mnt_id ? "yes" : "no");
    struct statfs f, d;
    must(fstatfs(fd, &f) == 0 && statfs(".", &d) == 0, "statfs");
    line("with the mount's flags", "%s", f.f_flags == d.f_flags ? "yes" : "no");
    must(unlink("used") == 0, "unlink");
    got = readlink(link, target, sizeof target - 1);
    target[got < 0 ? 0 : got] = '\0';
    line("its path when it is gone", "%s", shortened(target));
    OBSERVE("write when it is gone", write(fd, "x", 1), "used");
    line("an O_PATH descriptor", "read %s", outcome(read(open("/", O_PATH), target, 1)));
    const int path = open(".", O_PATH);
    line("an O_PATH descriptor's fchmod", "%s", outcome(fchmod(path, 0755)));
    line("an O_PATH descriptor's fsync", "%s", outcome(fsync(path)));
    line("rights of mapping", "%s",
         outcome(mmap(NULL, 1, PROT_WRITE, MAP_SHARED, open("/etc/passwd", O_RDONLY), 0) == MAP_FAILED ? -1
                                                                                                       : 0));
}

static void other_calls(void) {
    struct open_how how = {.flags = O_WRONLY | O_CREAT, .mode = 0644};
    line("openat2", "%s", outcome(syscall(SYS_openat2, AT_FDCWD, "second", &how, sizeof how)));
#if defined(SYS_open)
    line("the old call open", "%s", opened((int)syscall(SYS_open, "third", O_WRONLY | O_CREAT, 0640)));
    line("the old call creat", "%s", opened((int)syscall(SYS_creat, "fourth", 0604)));
    in_turn("the old calls mkdir, rename, link, symlink", "%s %s %s %s",
            outcome(syscall(SYS_mkdir, "d", 0701)), outcome(syscall(SYS_rename, "third", "d/3")),
            outcome(syscall(SYS_link, "d/3", "3")), outcome(syscall(SYS_symlink, "3", "s")));
    line("what they made", "%s %s %s %s", state("fourth"), state("d"), state("3"), state("s"));
    in_turn("the old calls chmod, unlink, rmdir", "%s %s %s %s", outcome(syscall(SYS_chmod, "3", 0600)),
            outcome(syscall(SYS_unlink, "s")), outcome(syscall(SYS_unlink, "d/3")),
            outcome(syscall(SYS_rmdir, "d")));
    line("what they left", "%s %s %s", state("3"), state("s"), state("d"));
#endif
    // High halves of arguments that the kernel does not look at.
    line("openat with high bits in its flags", "%s",
         opened((int)syscall(SYS_openat, AT_FDCWD, "high", 0xabcd000000000000L | O_WRONLY | O_CREAT, 0644)));
    line("openat with high bits in its directory", "%s",
         opened((int)syscall(SYS_openat, 0x1234000000000000L | (unsigned)AT_FDCWD, "high", O_RDWR | O_CREAT,
                             0644)));
}

void open_details(void) {
    modes();
    starting_points();
    used();
    other_calls();
    in_child(lowest_descriptor);
}
