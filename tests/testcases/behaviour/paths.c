// Paths at their limits: lengths, bytes, pointers, links upon links, and how errors take precedence.
#include "tests/testcases/behaviour/observe.h"

#include <sys/mman.h>

static int creating(const char* path) {
    const int fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0644);
    if (fd >= 0) close(fd);
    return fd < 0 ? -1 : 0;
}

static void lengths(void) {
    static const size_t kNames[] = {1, 254, 255, 256, 1000};
    char name[100], text[8300];
    for (unsigned i = 0; i < sizeof kNames / sizeof *kNames; ++i) {
        memset(text, 'n', kNames[i]);
        text[kNames[i]] = '\0';
        snprintf(name, sizeof name, "a name of %zu bytes", kNames[i]);
        in_turn(name, "create %s, mkdir %s, symlink %s", outcome(creating(text)), outcome(mkdir(text, 0755)),
                outcome(symlink("x", text)));
        in_turn(name, "rename %s, link %s, unlink %s", outcome(rename(text, "moved")),
                outcome(link("moved", text)), outcome(unlink(text)));
        unlink("moved");
    }
    // "./././…/x": of exactly that many bytes, with its end.
    static const size_t kPaths[] = {4093, 4094, 4095, 4096, 4097, 8192};
    for (unsigned i = 0; i < sizeof kPaths / sizeof *kPaths; ++i) {
        for (size_t at = 0; at < kPaths[i]; ++at) text[at] = at % 2 == 0 ? '.' : '/';
        text[kPaths[i] - 1] = 'x';
        text[kPaths[i] - 2] = '/';
        if (text[kPaths[i] - 3] == '/') text[kPaths[i] - 3] = '.';
        text[kPaths[i]] = '\0';
        snprintf(name, sizeof name, "a path of %zu bytes", kPaths[i]);
        in_turn(name, "create %s, chmod %s, rename %s, truncate %s", outcome(creating(text)),
                outcome(chmod(text, 0600)), outcome(rename(text, text)), outcome(truncate(text, 1)));
        in_turn(name, "mkdir %s, unlink %s, target of a link %s", outcome(mkdir(text, 0755)),
                outcome(unlink(text)), outcome(symlink(text, "target")));
        unlink("target");
    }
}

static void bytes(void) {
    static const char* const kOdd[] = {
        "back\\slash", "new\nline", "\xff\xfe", "tab\t",     " ",  "-rf", "*",     "\x01\x7f",
        "a:b",         "~",         "\xc3\xa9", "e\xcc\x81", "%s", "...", "$HOME", "'\""};
    char name[100];
    for (unsigned i = 0; i < sizeof kOdd / sizeof *kOdd; ++i) {
        snprintf(name, sizeof name, "odd name %u", i);
        OBSERVE(name, creating(kOdd[i]), kOdd[i]);
        in_turn(name, "rename %s, unlink %s", outcome(rename(kOdd[i], "even")), outcome(unlink("even")));
    }
    static const char* const kSlashes[] = {"//x1",      "./x2",     ".//x3",   "././x4",
                                           "sub/../x5", "sub/./x6", "sub//x7", "sub/../sub/../sub/x8",
                                           "x9/.",      "x10/..",   ".../x",   "..x"};
    put_directory("sub", 0755);
    char absolute[2 * PATH_MAX + 100];
    for (unsigned i = 1; i < sizeof kSlashes / sizeof *kSlashes; ++i) {
        in_turn(kSlashes[i], "%s", outcome(creating(kSlashes[i])));
        snprintf(absolute, sizeof absolute, "/%s//./%s", here, kSlashes[i]);
        snprintf(name, sizeof name, "absolute %s", kSlashes[i]);
        in_turn(name, "%s", outcome(creating(absolute)));
    }
    snprintf(absolute, sizeof absolute, "%s/../%s/x11", here, strrchr(here, '/') + 1);
    in_turn("out and in again", "%s", outcome(creating(absolute)));
    snprintf(absolute, sizeof absolute, "%s/../../../../../../../../../../..%s/x12", here, here);
    in_turn("above the root and in again", "%s", outcome(creating(absolute)));
    snprintf(absolute, sizeof absolute, "/proc/self/cwd/x13");
    in_turn("by /proc/self/cwd", "%s | %s", outcome(creating(absolute)), state("x13"));
    snprintf(absolute, sizeof absolute, "/proc/self/root%s/x14", here);
    in_turn("by /proc/self/root", "%s | %s", outcome(creating(absolute)), state("x14"));
    snprintf(absolute, sizeof absolute, "/proc/%ld/cwd/sub/x15", (long)getpid());
    in_turn("by the pid's cwd", "%s | %s", outcome(creating(absolute)), state("sub/x15"));
    snprintf(absolute, sizeof absolute, "/proc/self/fd/%d/x16", open("sub", O_PATH));
    in_turn("by a directory's /proc link", "%s | %s", outcome(creating(absolute)), state("sub/x16"));
    put_link("/proc/self/cwd", "to-cwd");
    in_turn("over a link to /proc/self/cwd", "%s | %s", outcome(creating("to-cwd/x17")), state("x17"));
    in_turn("mkdir by /proc/thread-self/cwd", "%s | %s", outcome(mkdir("/proc/thread-self/cwd/x18", 0755)),
            state("x18"));
}

static void pointers(void) {
    const long page = sysconf(_SC_PAGESIZE);
    char* two = mmap(NULL, (size_t)page * 2, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    must(two != MAP_FAILED && mprotect(two + page, (size_t)page, PROT_NONE) == 0, "mmap");
    char* ends = two + page - 5;
    memcpy(ends, "edge", 5);
    OBSERVE("a path that ends with its page", creating(ends), "edge");
    OBSERVE("rename of it", rename(ends, "egde"), "egde");
    memcpy(ends, "edges", 5);
    OBSERVE("a path that goes on in a page that is not there", creating(ends), "edges");
    in_turn("the same by other calls",
            "mkdir %s, unlink %s, rename %s, rename to %s, link %s, symlink %s, target %s",
            outcome(mkdir(ends, 0755)), outcome(unlink(ends)), outcome(rename(ends, "x")),
            outcome(rename("egde", ends)), outcome(link("egde", ends)), outcome(symlink("x", ends)),
            outcome(symlink(ends, "x")));
    in_turn("and by those of attributes", "chmod %s, chown %s, truncate %s, utimens %s",
            outcome(chmod(ends, 0600)), outcome(chown(ends, getuid(), getgid())), outcome(truncate(ends, 0)),
            outcome(utimensat(AT_FDCWD, ends, NULL, 0)));
    static char* const kBad[] = {NULL, (char*)8, (char*)-4096, (char*)0x7ffffffff000, (char*)(1UL << 63)};
    char name[100];
    for (unsigned i = 0; i < sizeof kBad / sizeof *kBad; ++i) {
        snprintf(name, sizeof name, "bad pointer %u", i);
        in_turn(name, "open %s, rdonly %s, creat %s, mkdir %s, rmdir %s, unlink %s, symlink %s, link %s",
                outcome(creating(kBad[i])), outcome(open(kBad[i], O_RDONLY)), outcome(creat(kBad[i], 0644)),
                outcome(mkdir(kBad[i], 0755)), outcome(rmdir(kBad[i])), outcome(unlink(kBad[i])),
                outcome(symlink("x", kBad[i])), outcome(link("egde", kBad[i])));
        in_turn(name, "rename %s and %s, chmod %s, mknod %s, truncate %s, utimens %s",
                outcome(rename(kBad[i], "x")), outcome(rename("egde", kBad[i])),
                outcome(chmod(kBad[i], 0644)), outcome(mknod(kBad[i], S_IFIFO | 0644, 0)),
                outcome(truncate(kBad[i], 0)),
                outcome(utimensat(AT_FDCWD, "egde",
                                  (const struct timespec*)(kBad[i] == NULL ? (char*)8 : kBad[i]), 0)));
    }
    // Which error is told first.
    line("a bad pointer from a bad descriptor", "%s",
         outcome(openat(999, (char*)8, O_WRONLY | O_CREAT, 0644)));
    line("rename of what is not there to a bad pointer", "%s", outcome(rename("nothing", (char*)8)));
    line("renameat2 with bad flags and pointers", "%s",
         outcome(syscall(SYS_renameat2, AT_FDCWD, 8, AT_FDCWD, 8, 0x700)));
    line("linkat with bad flags and pointers", "%s",
         outcome(syscall(SYS_linkat, AT_FDCWD, 8, AT_FDCWD, 8, 0x700)));
    line("mkdir of a bad pointer in what is not there", "%s", outcome(mkdirat(999, (char*)8, 0755)));
    in_turn("an empty path", "open %s, mkdir %s, unlink %s, rename %s, chmod %s, symlink %s",
            outcome(creating("")), outcome(mkdir("", 0755)), outcome(unlink("")), outcome(rename("", "")),
            outcome(chmod("", 0644)), outcome(symlink("x", "")));
    munmap(two, (size_t)page * 2);
}

static void chains(void) {
    put("end", "end", 0644);
    put_directory("end-dir", 0755);
    char from[20], to[20], name[100];
    // Link 1 leads to the end, link N to N-1: N hops.
    for (int i = 1; i <= 42; ++i) {
        snprintf(from, sizeof from, "hop%d", i);
        snprintf(to, sizeof to, i == 1 ? "end" : "hop%d", i - 1);
        put_link(to, from);
        snprintf(from, sizeof from, "dir%d", i);
        snprintf(to, sizeof to, i == 1 ? "end-dir" : "dir%d", i - 1);
        put_link(to, from);
        snprintf(from, sizeof from, "new%d", i);
        snprintf(to, sizeof to, i == 1 ? "new" : "new%d", i - 1);
        put_link(to, from);
    }
    for (int i = 39; i <= 42; ++i) {
        snprintf(from, sizeof from, "hop%d", i);
        snprintf(name, sizeof name, "%d hops", i);
        in_turn(name, "write %s, truncate %s, chmod %s, utimens %s", outcome(open(from, O_WRONLY)),
                outcome(truncate(from, 3)), outcome(chmod(from, 0640)),
                outcome(utimensat(AT_FDCWD, from, NULL, 0)));
        snprintf(from, sizeof from, "new%d", i);
        in_turn(name, "create %s | %s", outcome(creating(from)), state("new"));
        unlink("new");
        snprintf(from, sizeof from, "dir%d/made%d", i, i);
        in_turn(name, "in between: create %s, mkdir %s, rename %s", outcome(creating(from)),
                outcome(mkdir(from, 0755)), outcome(rename(from, "end-dir/moved")));
    }
    put_link("loop-b", "loop-a");
    put_link("loop-a", "loop-b");
    in_turn("a loop", "create %s, exclusive %s, mkdir %s, below %s", outcome(creating("loop-a")),
            outcome(open("loop-a", O_WRONLY | O_CREAT | O_EXCL, 0644)), outcome(mkdir("loop-a", 0755)),
            outcome(creating("loop-a/x")));
    // Links among directories, up and down, to the end of a name that does not exist.
    put_directory("tree", 0755);
    put_directory("tree/deep", 0755);
    put_link("../..", "tree/deep/up");
    put_link("tree/deep/up/tree/deep/made", "winding");
    OBSERVE("create over a winding link", creating("winding"), "tree/deep/made", "winding");
    put_link("made/", "slash-target");
    OBSERVE("create over a link with a slash at its end", creating("slash-target"), "slash-target", "made");
    put_link("no/such/place", "no-place");
    OBSERVE("create over a link to no place", creating("no-place"), "no-place");
    put_link("end/x", "below-file");
    OBSERVE("create over a link to below a file", creating("below-file"), "below-file");
    put_link(".", "dot");
    OBSERVE("create over a link to the directory itself", creating("dot"), "dot");
    OBSERVE("exclusive over a dangling link", open("no-place", O_WRONLY | O_CREAT | O_EXCL, 0644),
            "no-place");
}

static void outside(void) {
    // The link stands in the workspace, what it names does not.
    put_link("/usr/reeve-never", "to-usr");
    put_link("/usr/bin/env", "to-env");
    put_link("/proc/self/comm", "to-comm");
    put_link("/dev/null", "to-null");
    in_turn("create over a link into the system", "%s", outcome(creating("to-usr")));
    line("write over a link into the system", "%s", outcome(open("to-env", O_WRONLY)));
    line("truncate over a link into the system", "%s", outcome(truncate("to-env", 0)));
    line("chmod over a link into the system", "%s", outcome(chmod("to-env", 0777)));
    in_turn("write over a link to a device", "%s", outcome(creating("to-null")));
    in_turn("create in the system", "%s", outcome(creating("/usr/reeve-never")));
    line("mkdir in the system", "%s", outcome(mkdir("/usr/reeve-never", 0755)));
    line("unlink in the system", "%s", outcome(unlink("/usr/bin/env")));
    line("rename in the system", "%s", outcome(rename("/usr/bin/env", "/usr/bin/vne")));
    line("rename out of the system", "%s", outcome(rename("/usr/bin/env", "env")));
    line("rename into the system", "%s", outcome(rename("end", "/usr/bin/env2")));
    line("exclusive where it is in the system", "%s",
         outcome(open("/usr/bin/env", O_WRONLY | O_CREAT | O_EXCL, 0644)));
    line("mkdir where it is in the system", "%s", outcome(mkdir("/usr/bin", 0755)));
    line("write in the system", "%s", outcome(open("/usr/bin/env", O_RDWR)));
    const int comm = open("to-comm", O_WRONLY);
    line("write over a link into /proc", "%s", outcome(write(comm, "renamed", 7)));
    put("end2", "", 0644);
    OBSERVE("link of what is in the system", link("/usr/bin/env", "linked-env"), "linked-env");
    OBSERVE("symlink into the system", symlink("/usr/bin/env", "sym-env"), "sym-env");
    line("run over that link", "%s", outcome(access("sym-env", X_OK)));
}

void paths(void) {
    lengths();
    clear(".");
    bytes();
    clear(".");
    pointers();
    clear(".");
    chains();
    outside();
}

// Deeper than one path can say, and away again.
void deep(void) {
    char text[251], where[PATH_MAX];
    memset(text, 'd', 250);
    text[250] = '\0';
    int depth = 0;
    while (depth < 20 && mkdir(text, 0755) == 0 && chdir(text) == 0) ++depth;
    line("directories of 250 bytes in one another", "%d", depth);
    in_turn("create below that", "%s, mkdir %s, rename %s", outcome(creating("x")), outcome(mkdir("y", 0755)),
            outcome(rename("x", "y/x")));
    line("getcwd there", "%s", getcwd(where, sizeof where) == NULL ? strerrorname_np(errno) : "ok");
}
