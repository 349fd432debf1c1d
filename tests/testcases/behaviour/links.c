// Hard links: of files, links and what is open, with the flags of linkat.
#include "tests/testcases/behaviour/observe.h"

void links(void) {
    put("file", "text", 0644);
    put("second", "second", 0644);
    put("locked", "locked", 0000);
    put_directory("dir", 0755);
    put_directory("sealed", 0555);
    put_link("file", "to-file");
    put_link("absent", "dangling");
    put_link("dir", "to-dir");
    must(mkfifo("fifo", 0644) == 0 && mknod("socket", S_IFSOCK | 0644, 0) == 0, "nodes");
    static const struct {
        const char *from, *to;
        int flags;
    } kLinks[] = {
        {"file", "one", 0},
        {"file", "one", 0},
        {"file", "file", 0},
        {"one", "file", 0},
        {"file", "second", 0},
        {"file", "slash/", 0},
        {"file/", "a", 0},
        {"file", ".", 0},
        {"file", "dir", 0},
        {"file", "dir/", 0},
        {"file", "dir/in", 0},
        {"file", "to-dir/over", 0},
        {"file", "to-file", 0},
        {"file", "dangling", 0},
        {"file", "no/x", 0},
        {"file", "second/x", 0},
        {"file", "sealed/x", 0},
        {"file", "", 0},
        {"", "x", 0},
        {"no", "x", 0},
        {"no/no", "x", 0},
        {"dir", "dir-link", 0},
        {".", "dot-link", 0},
        {"to-file", "link-of-link", 0},
        {"to-file", "link-of-target", AT_SYMLINK_FOLLOW},
        {"dangling", "link-of-dangling", 0},
        {"dangling", "link-of-absent", AT_SYMLINK_FOLLOW},
        {"to-dir", "link-of-to-dir", 0},
        {"to-dir", "link-of-dir", AT_SYMLINK_FOLLOW},
        {"fifo", "fifo-link", 0},
        {"socket", "socket-link", 0},
        {"file", "bad-flag", 0x4000},
        {"file", "bad-flag", AT_SYMLINK_NOFOLLOW},
        // Mode 000, and programs of others: fs.protected_hardlinks forbids what one could not write.
        {"locked", "locked-link", 0},
        {"/usr/lib/os-release", "os-release", 0},
        {"/usr/bin/env", "env", 0},
        {"/proc/self/exe", "exe", AT_SYMLINK_FOLLOW},
        {"/dev/null", "null", 0}};
    for (unsigned i = 0; i < sizeof kLinks / sizeof *kLinks; ++i) {
        char name[200];
        snprintf(name, sizeof name, "'%s' as '%s' flags %#x (%u)", kLinks[i].from, kLinks[i].to,
                 (unsigned)kLinks[i].flags, i);
        OBSERVE(name, linkat(AT_FDCWD, kLinks[i].from, AT_FDCWD, kLinks[i].to, kLinks[i].flags), kLinks[i].to,
                ".", "file");
    }
    // What is open, has a name and is linked by its descriptor.
    const int fd = open("second", O_RDONLY);
    char path[64];
    snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
    OBSERVE("what is open, by /proc", linkat(AT_FDCWD, path, AT_FDCWD, "by-proc", AT_SYMLINK_FOLLOW),
            "by-proc", "second");
    OBSERVE("what is open, by an empty path", linkat(fd, "", AT_FDCWD, "by-empty", AT_EMPTY_PATH),
            "by-empty");
    must(unlink("second") == 0 && unlink("by-proc") == 0 && (unlink("by-empty") == 0 || errno == ENOENT),
         "unlink");
    OBSERVE("what has no name left", linkat(AT_FDCWD, path, AT_FDCWD, "again", AT_SYMLINK_FOLLOW), "again");
    const int directory = open("dir", O_PATH);
    OBSERVE("from a directory's descriptor", linkat(directory, "in", AT_FDCWD, "out", 0), "out", "file");
    OBSERVE("to a directory's descriptor", linkat(AT_FDCWD, "out", directory, "back", 0), "dir/back", "dir");
    const int of_link = open("to-file", O_PATH | O_NOFOLLOW);
    snprintf(path, sizeof path, "/proc/self/fd/%d", of_link);
    OBSERVE("a link that is held by O_PATH", linkat(AT_FDCWD, path, AT_FDCWD, "held-link", AT_SYMLINK_FOLLOW),
            "held-link");
    OBSERVE("a write shows by all names", truncate("dir/back", 2), "file", "dir/back");
}
