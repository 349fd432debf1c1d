// Names that come and go: mkdir, mknod, symlink, unlink, rmdir, in plain, set-group-id and sticky directories.
#include "tests/testcases/behaviour/observe.h"

#include <sys/sysmacros.h>

static void directories(void) {
    static const mode_t kModes[] = {0, 0500, 0700, 0755, 0777, 01777, 02777, 04777, 07777};
    static const mode_t kMasks[] = {0, 022, 0777};
    char name[100];
    for (unsigned m = 0; m < sizeof kModes / sizeof *kModes; ++m)
        for (unsigned u = 0; u < sizeof kMasks / sizeof *kMasks; ++u) {
            umask(kMasks[u]);
            snprintf(name, sizeof name, "mkdir %o under umask %o", kModes[m], kMasks[u]);
            OBSERVE(name, mkdir("made", kModes[m]), "made", ".");
            rmdir("made");
        }
    umask(022);
    put("file", "text", 0644);
    put_link("absent", "dangling");
    put_link(".", "to-here");
    put_directory("full", 0755);
    put("full/file", "text", 0644);
    put_directory("empty", 0755);
    put_directory("sealed", 0555);
    static const char* const kMade[] = {"new",
                                        "new2/",
                                        "new3//",
                                        "new4/.",
                                        "new5/..",
                                        "full",
                                        "full/",
                                        "file",
                                        "file/",
                                        "file/x",
                                        ".",
                                        "..",
                                        "/",
                                        "",
                                        "dangling",
                                        "dangling/",
                                        "to-here",
                                        "to-here/new6",
                                        "to-here/new7/",
                                        "no/x",
                                        "sealed/x",
                                        "./new8",
                                        "full/../new9",
                                        "full//new10",
                                        "loop/x",
                                        "//"};
    for (unsigned i = 0; i < sizeof kMade / sizeof *kMade; ++i) {
        snprintf(name, sizeof name, "mkdir '%s'", kMade[i]);
        OBSERVE(name, mkdir(kMade[i], 0755), kMade[i]);
    }
    static const char* const kRemoved[] = {
        "new",          "new2/",    "new3", "full",   "full/",    "file",    "file/",   ".",
        "..",           "/",        "",     "full/.", "full/..",  "empty/.", "to-here", "to-here/",
        "to-here/new6", "dangling", "no",   "no/x",   "sealed/x", "sealed",  "empty//"};
    for (unsigned i = 0; i < sizeof kRemoved / sizeof *kRemoved; ++i) {
        snprintf(name, sizeof name, "rmdir '%s'", kRemoved[i]);
        OBSERVE(name, rmdir(kRemoved[i]), kRemoved[i], ".");
    }
}

static void removals(void) {
    char name[100];
    put("one", "text", 0644);
    must(link("one", "two") == 0, "link");
    put("slash", "text", 0644);
    put("unwritable", "text", 0000);
    put_link("one", "to-one");
    put_link("dir", "to-dir");
    put_directory("dir", 0755);
    put_directory("locked", 0555);
    static const char* const kRemoved[] = {"one",     "one",    "slash/",   "unwritable", "to-one",
                                           "to-dir/", "to-dir", "dir",      "dir/",       "dir/.",
                                           ".",       "..",     "",         "/",          "dir/no",
                                           "no/no",   "two/no", "locked/x", "./two",      "dir/../slash"};
    for (unsigned i = 0; i < sizeof kRemoved / sizeof *kRemoved; ++i) {
        snprintf(name, sizeof name, "unlink '%s' (%u)", kRemoved[i], i);
        OBSERVE(name, unlink(kRemoved[i]), kRemoved[i], ".", "two");
    }
    put_directory("sub", 0755);
    put("sub/kept", "kept", 0644);
    must(chmod("sub", 0555) == 0, "chmod");
    OBSERVE("unlink in a directory without write", unlink("sub/kept"), "sub/kept", "sub");
    must(chmod("sub", 0666) == 0, "chmod");
    OBSERVE("unlink in a directory without search", unlink("sub/kept"), "sub/kept", "sub");
    must(chmod("sub", 0755) == 0, "chmod");
    OBSERVE("unlinkat with AT_REMOVEDIR on a file", unlinkat(AT_FDCWD, "sub/kept", AT_REMOVEDIR), "sub/kept");
    OBSERVE("unlink of what is open", unlink("sub/kept"), "sub/kept", "sub");
}

static void nodes(void) {
    const struct {
        const char* name;
        mode_t mode;
        dev_t device;
    } kNodes[] = {{"fifo", S_IFIFO | 0666, 0},
                  {"fifo of all modes", S_IFIFO | 0777, 0},
                  {"socket", S_IFSOCK | 0666, 0},
                  {"regular file", S_IFREG | 0666, 0},
                  {"regular file without a type", 0640, 0},
                  {"null", S_IFCHR | 0666, makedev(1, 3)},
                  {"whiteout", S_IFCHR, makedev(0, 0)},
                  {"disk", S_IFBLK | 0666, makedev(254, 0)},
                  {"directory", S_IFDIR | 0755, 0},
                  {"link", S_IFLNK | 0777, 0},
                  {"no type at all", 0150000 | 0666, 0}};
    char name[100];
    for (unsigned i = 0; i < sizeof kNodes / sizeof *kNodes; ++i) {
        snprintf(name, sizeof name, "mknod a %s", kNodes[i].name);
        OBSERVE(name, mknod("node", kNodes[i].mode, kNodes[i].device), "node", ".");
        snprintf(name, sizeof name, "mknod a %s again", kNodes[i].name);
        OBSERVE(name, mknod("node", kNodes[i].mode, kNodes[i].device), "node");
        unlink("node");
    }
    OBSERVE("mkfifo with a trailing slash", mkfifo("slash/", 0644), "slash");
    put_link("absent", "node-link");
    OBSERVE("mkfifo at a dangling link", mkfifo("node-link", 0644), "node-link", "absent");
    OBSERVE("mkfifo below a file", mkfifo("node-link/x", 0644), "node-link");
    OBSERVE("mkfifo at nothing", mkfifo("", 0644), ".");
    umask(0777);
    OBSERVE("mkfifo under umask 777", mkfifo("masked", 0666), "masked");
    umask(022);
}

static void special_directories(void) {
    put_directory("group", 02775);
    OBSERVE("mkdir in a set-group-id directory", mkdir("group/sub", 0755), "group/sub");
    const int fd = open("group/file", O_WRONLY | O_CREAT, 0644);
    in_turn("create in it", "%s | %s", opened(fd), state("group/file"));
    close(fd);
    const int exec = open("group/executable", O_WRONLY | O_CREAT, 0775);
    in_turn("create an executable in it", "%s | %s", opened(exec), state("group/executable"));
    close(exec);
    OBSERVE("symlink in it", symlink("x", "group/link"), "group/link");
    OBSERVE("mkfifo in it", mkfifo("group/fifo", 0644), "group/fifo");
    OBSERVE("rename into it", rename("unwritable", "group/moved"), "group/moved");
    put_directory("sticky", 01777);
    OBSERVE("mkdir in a sticky directory", mkdir("sticky/sub", 0755), "sticky/sub", "sticky");
    put("sticky/own", "own", 0644);
    OBSERVE("unlink of one's own in it", unlink("sticky/own"), "sticky/own", "sticky");
    OBSERVE("rename of one's own in it", rename("sticky/sub", "sticky/bus"), "sticky/sub", "sticky/bus");
    put("sticky/other", "other", 0666);
    const int other = open("sticky/other", O_WRONLY | O_CREAT, 0666);
    line("O_CREAT on one's own in it", "%s", opened(other));
    close(other);
}

static void symlinks(void) {
    char name[100], target[PATH_MAX + 10];
    static const char* const kMade[] = {"sym",  "sym",   "sym2/",  "sym3/.",    "",          ".",
                                        "dir2", "dir2/", "no/sym", "file2/sym", "to-dir2/in"};
    put_directory("dir2", 0755);
    put("file2", "", 0644);
    put_link("dir2", "to-dir2");
    for (unsigned i = 0; i < sizeof kMade / sizeof *kMade; ++i) {
        snprintf(name, sizeof name, "symlink at '%s' (%u)", kMade[i], i);
        OBSERVE(name, symlink("target", kMade[i]), kMade[i], ".");
    }
    OBSERVE("symlink to nothing", symlink("", "empty-target"), "empty-target");
    static const size_t kSizes[] = {1, 59, 60, 61, 255, 256, 4095, 4096};
    for (unsigned i = 0; i < sizeof kSizes / sizeof *kSizes; ++i) {
        memset(target, 't', kSizes[i]);
        target[kSizes[i]] = '\0';
        snprintf(name, sizeof name, "symlink to %zu bytes", kSizes[i]);
        unlink("long");
        const int done = symlink(target, "long");
        struct stat s = {0};
        line(name, "%s | size %ld", outcome(done), lstat("long", &s) == 0 ? (long)s.st_size : -1L);
    }
    OBSERVE("symlink to odd bytes", symlink("new\nline\\ \xff\x01", "odd"), "odd");
    put_link(here, "absolute");
    OBSERVE("mkdir through an absolute link", mkdir("absolute/through", 0755), "through");
}

void names(void) {
    directories();
    removals();
    nodes();
    special_directories();
    symlinks();
}
