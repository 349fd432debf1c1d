// Renames with their flags, every kind onto every kind.
#include "tests/testcases/behaviour/observe.h"

#include <linux/fs.h>

static const char* const kKinds[] = {"file",     "other",  "empty",   "full", "link",
                                     "dangling", "to-dir", "missing", "fifo"};

static void make_scene(void) {
    clear(".");
    put("file", "file", 0644);
    put("other", "other", 0600);
    put_directory("empty", 0755);
    put_directory("full", 0700);
    put("full/inner", "inner", 0644);
    put_directory("full/sub", 0755);
    put_directory("sealed", 0755);
    put("sealed/kept", "kept", 0644);
    must(chmod("sealed", 0555) == 0, "chmod");
    put_link("file", "link");
    put_link("absent", "dangling");
    put_link("full", "to-dir");
    must(mkfifo("fifo", 0644) == 0, "mkfifo");
}

static int renamed(const char* from, const char* to, unsigned flags) {
    return (int)syscall(SYS_renameat2, AT_FDCWD, from, AT_FDCWD, to, flags);
}

static void every_kind(unsigned flags, const char* word) {
    for (unsigned a = 0; a < sizeof kKinds / sizeof *kKinds; ++a)
        for (unsigned b = 0; b < sizeof kKinds / sizeof *kKinds; ++b) {
            make_scene();
            char name[200];
            snprintf(name, sizeof name, "%s%s onto %s", word, kKinds[a], kKinds[b]);
            OBSERVE(name, renamed(kKinds[a], kKinds[b], flags), kKinds[a], kKinds[b], ".");
        }
}

static void odd_ones(void) {
    static const struct {
        const char *from, *to;
        unsigned flags;
    } kOdd[] = {{"full", "full/sub/x", 0},
                {"full", "full/x", 0},
                {"full/sub", "full", 0},
                {"full", "full/sub", RENAME_EXCHANGE},
                {"full/inner", "full", 0},
                {"file", "file/x", 0},
                {"file", "new/", 0},
                {"file/", "new", 0},
                {"empty/", "new", 0},
                {"empty", "new/", 0},
                {"empty/", "new/", 0},
                {"empty", "to-dir/moved", 0},
                {"to-dir/", "new", 0},
                {"to-dir", "new/", 0},
                {"to-dir/", "new/", 0},
                {"file", "link/", 0},
                {"file", "to-dir/", 0},
                {"empty", "to-dir/", 0},
                {"empty", "dangling/", 0},
                {".", "new", 0},
                {"..", "new", 0},
                {"empty/.", "new", 0},
                {"empty/..", "new", 0},
                {"file", ".", 0},
                {"file", "..", 0},
                {"empty", "full/.", 0},
                {"empty", "full/..", 0},
                {"/", "new", 0},
                {"file", "/", 0},
                {"", "new", 0},
                {"file", "", 0},
                {"file", "sealed/x", 0},
                {"sealed/kept", "x", 0},
                {"sealed", "moved", 0},
                {"sealed", "full/moved", 0},
                {"no/x", "new", 0},
                {"file", "no/x", 0},
                {"file", "other/x", 0},
                {"other/x", "file", 0},
                {"./file", "file", 0},
                {"full/../file", "./new", 0},
                {"full/inner", "inner", 0},
                {"file", "full/inner", 0},
                {"file", "full/", 0},
                {"file", "new", RENAME_WHITEOUT},
                {"file", "new", RENAME_NOREPLACE | RENAME_EXCHANGE},
                {"file", "new", 0x100},
                {"file", "other", 0x80000000u},
                {"file", "full/sub", RENAME_EXCHANGE},
                {"empty", "full", RENAME_EXCHANGE},
                {"full/inner", "file", RENAME_EXCHANGE},
                {"file", ".", RENAME_EXCHANGE},
                {"file", ".", RENAME_NOREPLACE},
                {"full", "..", RENAME_NOREPLACE},
                {"file", "/dev/shm/reeve-never", 0},
                {"/usr/lib/os-release", "os-release", 0},
                {"/usr/lib/os-release", "file", RENAME_EXCHANGE}};
    for (unsigned i = 0; i < sizeof kOdd / sizeof *kOdd; ++i) {
        make_scene();
        char name[200];
        snprintf(name, sizeof name, "'%s' to '%s' flags %#x (%u)", kOdd[i].from, kOdd[i].to, kOdd[i].flags,
                 i);
        OBSERVE(name, renamed(kOdd[i].from, kOdd[i].to, kOdd[i].flags), kOdd[i].from, kOdd[i].to, ".");
        // Had the file system of /dev/shm been the same.
        unlink("/dev/shm/reeve-never");
    }
}

static void what_stays(void) {
    make_scene();
    must(link("file", "same") == 0, "link");
    OBSERVE("onto another name of itself", rename("file", "same"), "file", "same", ".");
    const int fd = open("other", O_RDONLY);
    OBSERVE("onto what is open", rename("file", "other"), "other", "file");
    line("what is open has no name then", "%s", state_of(fd));
    const int directory = open("full", O_RDONLY | O_DIRECTORY);
    OBSERVE("a directory that is open", rename("full", "moved"), "moved", "full", ".");
    const int in = openat(directory, "later", O_WRONLY | O_CREAT, 0644);
    in_turn("create in it by the descriptor", "%s | %s", opened(in), state("moved/later"));
    must(chdir("moved/sub") == 0, "chdir");
    OBSERVE("the working directory's parent", rename("../../moved", "../../again"), ".");
    line("create in the working directory", "%s", opened(open("here", O_WRONLY | O_CREAT, 0644)));
    char where[PATH_MAX];
    line("getcwd", "%s", getcwd(where, sizeof where) == NULL ? strerrorname_np(errno) : shortened(where));
    must(chdir("../..") == 0, "chdir");
    put_directory("from", 0755);
    put_directory("to", 0755);
    put_directory("from/d", 0755);
    OBSERVE("links of both parents", rename("from/d", "to/d"), "from", "to", "to/d");
    put_directory("unwritable", 0755);
    must(chmod("unwritable", 0555) == 0, "chmod");
    OBSERVE("a directory without write, to another parent", rename("unwritable", "to/unwritable"),
            "to/unwritable", "to");
    OBSERVE("the same, in its parent", rename("unwritable", "renamed"), "unwritable", "renamed");
}

void renames(void) {
    every_kind(0, "");
    every_kind(RENAME_NOREPLACE, "NOREPLACE ");
    every_kind(RENAME_EXCHANGE, "EXCHANGE ");
    odd_ones();
    what_stays();
}
