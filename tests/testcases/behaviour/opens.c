// Every kind of target by every set of flags: what open gives, its flags as F_GETFL shows them, and what is there then.
#include "tests/testcases/behaviour/observe.h"

static const struct {
    const char* name;
    int flags;
} kFlags[] = {
    {"rdonly", O_RDONLY},
    {"wronly", O_WRONLY},
    {"rdwr", O_RDWR},
    {"mode 3", O_ACCMODE},
    {"rdonly trunc", O_RDONLY | O_TRUNC},
    {"wronly trunc", O_WRONLY | O_TRUNC},
    {"rdwr trunc", O_RDWR | O_TRUNC},
    {"wronly append", O_WRONLY | O_APPEND},
    {"rdonly creat", O_RDONLY | O_CREAT},
    {"wronly creat", O_WRONLY | O_CREAT},
    {"rdwr creat", O_RDWR | O_CREAT},
    {"wronly creat excl", O_WRONLY | O_CREAT | O_EXCL},
    {"wronly excl", O_WRONLY | O_EXCL},
    {"wronly creat trunc", O_WRONLY | O_CREAT | O_TRUNC},
    {"rdonly creat trunc", O_RDONLY | O_CREAT | O_TRUNC},
    {"wronly creat append cloexec", O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC},
    {"rdwr creat excl nofollow", O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW},
    {"wronly creat nofollow", O_WRONLY | O_CREAT | O_NOFOLLOW},
    {"wronly nofollow", O_WRONLY | O_NOFOLLOW},
    {"rdonly nofollow", O_RDONLY | O_NOFOLLOW},
    {"rdonly directory", O_RDONLY | O_DIRECTORY},
    {"wronly directory", O_WRONLY | O_DIRECTORY},
    {"rdonly directory nofollow", O_RDONLY | O_DIRECTORY | O_NOFOLLOW},
    {"rdwr creat directory", O_RDWR | O_CREAT | O_DIRECTORY},
    {"path", O_PATH},
    {"path nofollow", O_PATH | O_NOFOLLOW},
    {"path directory cloexec", O_PATH | O_DIRECTORY | O_CLOEXEC},
    {"path wronly creat trunc", O_PATH | O_WRONLY | O_CREAT | O_TRUNC},
    {"wronly nonblock", O_WRONLY | O_NONBLOCK},
    {"rdwr creat nonblock", O_RDWR | O_CREAT | O_NONBLOCK},
    {"wronly creat sync", O_WRONLY | O_CREAT | O_SYNC},
    {"wronly creat dsync", O_WRONLY | O_CREAT | O_DSYNC},
    {"wronly creat direct", O_WRONLY | O_CREAT | O_DIRECT},
    {"rdwr creat noatime", O_RDWR | O_CREAT | O_NOATIME},
    {"wronly creat async", O_WRONLY | O_CREAT | O_ASYNC},
    {"rdwr creat noctty", O_RDWR | O_CREAT | O_NOCTTY},
    // __O_LARGEFILE, that 64-bit programs have anyway, and a flag that no kernel knows.
    {"wronly creat largefile", O_WRONLY | O_CREAT | 0100000},
    {"wronly creat unknown", O_WRONLY | O_CREAT | 0x40000000},
    {"tmpfile rdwr", O_TMPFILE | O_RDWR},
    {"tmpfile wronly excl", O_TMPFILE | O_WRONLY | O_EXCL},
    {"tmpfile rdonly", O_TMPFILE | O_RDONLY},
    {"tmpfile rdwr creat", O_TMPFILE | O_RDWR | O_CREAT},
    {"all that go together",
     O_RDWR | O_CREAT | O_APPEND | O_SYNC | O_NONBLOCK | O_CLOEXEC | O_NOATIME | O_NOFOLLOW},
};

static const char* const kTargets[] = {"file",
                                       "missing",
                                       "directory",
                                       "link",
                                       "dangling",
                                       "to-directory",
                                       "twice",
                                       "loop",
                                       "locked",
                                       "readonly",
                                       "no-entry/x",
                                       "sealed/x",
                                       "file/x",
                                       "file/",
                                       "missing/",
                                       "directory/",
                                       "link/",
                                       "to-directory/",
                                       "dangling/",
                                       "directory/.",
                                       "directory/..",
                                       "./file",
                                       "directory//../file",
                                       "socket",
                                       "running/",
                                       "above-dangling"};

static void make_scene(void) {
    clear(".");
    put("file", "twelve bytes", 0644);
    put("readonly", "read only", 0444);
    put("locked", "locked", 0000);
    put_directory("directory", 0755);
    put_directory("sealed", 0555);
    put_directory("running", 0711);
    put_link("file", "link");
    put_link("absent", "dangling");
    put_link("no-entry/absent", "above-dangling");
    put_link("directory", "to-directory");
    put_link("link", "twice");
    put_link("loop", "loop");
    must(mknod("socket", S_IFSOCK | 0644, 0) == 0, "socket");
}

// The scene is put right again only where a call may have changed it.
static bool changed_scene(int flags) {
    return (flags & (O_CREAT | O_TRUNC)) != 0;
}

void opens(void) {
    make_scene();
    for (unsigned t = 0; t < sizeof kTargets / sizeof *kTargets; ++t) {
        for (unsigned f = 0; f < sizeof kFlags / sizeof *kFlags; ++f) {
            const int fd = open(kTargets[t], kFlags[f].flags, 0666);
            char name[200];
            snprintf(name, sizeof name, "%s by %s", kTargets[t], kFlags[f].name);
            in_turn(name, "%s | %s | at the end of links: %s", opened(fd), state(kTargets[t]),
                    state("absent"));
            if (fd >= 0) close(fd);
            if (changed_scene(kFlags[f].flags)) make_scene();
        }
    }
}
