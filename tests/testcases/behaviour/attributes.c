// Sizes, modes and owners: truncate, chmod and chown by path, over links and by descriptor.
#include "tests/testcases/behaviour/observe.h"

#ifndef SYS_fchmodat2
#define SYS_fchmodat2 452
#endif

static const char* const kPaths[] = {"file",     "file/",   "dir",          "dir/",     "link",   "link/",
                                     "dangling", "missing", "no/x",         "file/x",   "to-dir", "loop",
                                     "fifo",     "locked",  "sealed/inner", "readonly", "",       "."};

static void make_scene(void) {
    clear(".");
    put("file", "some text", 0644);
    put("locked", "locked", 0000);
    put("readonly", "read only", 0444);
    put_directory("dir", 0755);
    put_directory("sealed", 0755);
    put("sealed/inner", "inner", 0644);
    must(chmod("sealed", 0555) == 0, "chmod");
    put_link("file", "link");
    put_link("absent", "dangling");
    put_link("dir", "to-dir");
    put_link("loop", "loop");
    must(mkfifo("fifo", 0644) == 0, "mkfifo");
}

static void sizes(void) {
    char name[200];
    for (unsigned i = 0; i < sizeof kPaths / sizeof *kPaths; ++i) {
        make_scene();
        snprintf(name, sizeof name, "truncate '%s'", kPaths[i]);
        OBSERVE(name, truncate(kPaths[i], 4), kPaths[i], "file", "absent");
    }
    make_scene();
    OBSERVE("truncate to more", truncate("file", 20), "file");
    OBSERVE("truncate to the same", truncate("file", 20), "file");
    OBSERVE("truncate to nothing", truncate("file", 0), "file");
    OBSERVE("truncate to less than nothing", truncate("file", -1), "file");
    OBSERVE("truncate to too much", truncate("file", (off_t)1 << 62), "file");
    OBSERVE("truncate of the system's", truncate("/usr/bin/env", 0), "file");
    const int reader = open("file", O_RDONLY), writer = open("file", O_WRONLY);
    OBSERVE("ftruncate of a reader", ftruncate(reader, 1), "file");
    OBSERVE("ftruncate of a writer", ftruncate(writer, 1), "file");
    OBSERVE("ftruncate of nothing", ftruncate(-1, 1), "file");
    must(chmod("file", 0000) == 0, "chmod");
    OBSERVE("ftruncate where the mode forbids by now", ftruncate(writer, 2), "file");
    OBSERVE("truncate where the mode forbids", truncate("file", 3), "file");
    OBSERVE("open to truncate where the mode forbids", open("file", O_WRONLY | O_TRUNC), "file");
}

static void modes(void) {
    char name[200];
    for (unsigned i = 0; i < sizeof kPaths / sizeof *kPaths; ++i) {
        make_scene();
        snprintf(name, sizeof name, "chmod '%s'", kPaths[i]);
        OBSERVE(name, chmod(kPaths[i], 0711), kPaths[i], "file", "dir");
        snprintf(name, sizeof name, "fchmodat2 '%s' without following", kPaths[i]);
        OBSERVE(name, syscall(SYS_fchmodat2, AT_FDCWD, kPaths[i], 0700, AT_SYMLINK_NOFOLLOW), kPaths[i],
                "file");
        snprintf(name, sizeof name, "fchmodat '%s' without following", kPaths[i]);
        OBSERVE(name, fchmodat(AT_FDCWD, kPaths[i], 0720, AT_SYMLINK_NOFOLLOW), kPaths[i], "file");
    }
    make_scene();
    static const mode_t kModes[] = {0, 07, 0777, 01777, 02755, 02644, 0100644, 040000};
    for (unsigned i = 0; i < sizeof kModes / sizeof *kModes; ++i) {
        snprintf(name, sizeof name, "chmod %o", kModes[i]);
        OBSERVE(name, chmod("file", kModes[i]), "file");
        snprintf(name, sizeof name, "chmod %o of a directory", kModes[i]);
        OBSERVE(name, chmod("dir", kModes[i]), "dir");
    }
    OBSERVE("chmod 4755", chmod("file", 04755), "file");
    must(chmod("file", 0644) == 0, "chmod");
    const int reader = open("file", O_RDONLY), path = open("file", O_PATH),
              link = open("link", O_PATH | O_NOFOLLOW);
    OBSERVE("fchmod by a reader", fchmod(reader, 0640), "file");
    OBSERVE("fchmod by O_PATH", fchmod(path, 0641), "file");
    OBSERVE("fchmod by nothing", fchmod(-1, 0641), "file");
    OBSERVE("fchmodat2 by an empty path", syscall(SYS_fchmodat2, path, "", 0604, AT_EMPTY_PATH), "file");
    OBSERVE("fchmodat2 by an empty path of a link", syscall(SYS_fchmodat2, link, "", 0604, AT_EMPTY_PATH),
            "link");
    OBSERVE("fchmodat2 by an empty path without the flag", syscall(SYS_fchmodat2, path, "", 0605, 0), "file");
    OBSERVE("fchmodat2 with a flag that is none", syscall(SYS_fchmodat2, AT_FDCWD, "file", 0605, 0x4000),
            "file");
    char by_proc[64];
    snprintf(by_proc, sizeof by_proc, "/proc/self/fd/%d", path);
    OBSERVE("chmod by /proc", chmod(by_proc, 0606), "file");
    OBSERVE("chmod of the system's", chmod("/usr/bin/env", 0755), "file");
    OBSERVE("chmod of a device", chmod("/dev/null", 0666), "file");
    must(unlink("file") == 0, "unlink");
    OBSERVE("fchmod of what is gone", fchmod(reader, 0600), "file");
    line("what is gone", "%s", state_of(reader));
}

static void owners(void) {
    char name[200];
    const uid_t own = getuid();
    const gid_t group = getgid();
    for (unsigned i = 0; i < sizeof kPaths / sizeof *kPaths; ++i) {
        make_scene();
        snprintf(name, sizeof name, "chown '%s' to oneself", kPaths[i]);
        OBSERVE(name, chown(kPaths[i], own, group), kPaths[i], "file");
        snprintf(name, sizeof name, "lchown '%s' to oneself", kPaths[i]);
        OBSERVE(name, lchown(kPaths[i], own, group), kPaths[i], "file");
    }
    make_scene();
    OBSERVE("chown of nothing at all", chown("file", (uid_t)-1, (gid_t)-1), "file");
    OBSERVE("chown of the group alone", chown("file", (uid_t)-1, group), "file");
    OBSERVE("chown to root", chown("file", 0, (gid_t)-1), "file");
    OBSERVE("chown to root's group", chown("file", (uid_t)-1, 0), "file");
    OBSERVE("chown to somebody", chown("file", own + 1, (gid_t)-1), "file");
    OBSERVE("lchown of a link to somebody", lchown("link", own + 1, (gid_t)-1), "link");
    OBSERVE("chown of the system's to oneself", chown("/usr/bin/env", own, group), "file");
    must(chmod("file", 02755) == 0, "chmod");
    OBSERVE("chown takes the set-group-id bit", chown("file", own, group), "file");
    must(chmod("file", 02755) == 0, "chmod");
    const int writer = open("file", O_WRONLY), path = open("file", O_PATH),
              link = open("link", O_PATH | O_NOFOLLOW);
    OBSERVE("a write takes it too", write(writer, "S", 1), "file");
    OBSERVE("fchown by a writer", fchown(writer, own, group), "file");
    OBSERVE("fchown by O_PATH", fchown(path, own, group), "file");
    OBSERVE("fchownat by an empty path", fchownat(path, "", own, group, AT_EMPTY_PATH), "file");
    OBSERVE("fchownat by an empty path of a link", fchownat(link, "", own, group, AT_EMPTY_PATH), "link");
    OBSERVE("fchownat by an empty path without the flag", fchownat(path, "", own, group, 0), "file");
    OBSERVE("fchownat of the working directory by an empty path",
            fchownat(AT_FDCWD, "", own, group, AT_EMPTY_PATH), ".");
    OBSERVE("fchownat with a flag that is none", fchownat(AT_FDCWD, "file", own, group, 0x4000), "file");
}

void attributes(void) {
    sizes();
    modes();
    owners();
}
