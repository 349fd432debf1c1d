// Makes a name that may not be made by other spellings of its path, and in directories with odd names. Arguments: the
// directory, absolute; the name.
#include "tests/escape/attack.h"

static const char* name;

static void made(const char* by, const char* path) {
    const int fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0644);
    const int error = errno;
    if (fd >= 0) close(fd);
    way(by, fd >= 0, error);
    unlink(path);
}

int main(int argc, char** argv) {
    if (argc != 3 || chdir(argv[1]) != 0) return 2;
    name = argv[2];
    static const struct {
        const char *by, *before;
    } kSpellings[] = {{"dot", "./"},
                      {"many dots", "././././"},
                      {"double slashes", ".//////"},
                      {"down and up", "sub/../"},
                      {"down and up twice", "sub/../sub/.././"},
                      {"over a link", "to-here/"},
                      {"over a link to the root", "to-root"},
                      {"working directory of proc", "/proc/self/cwd/"},
                      {"that of the thread", "/proc/thread-self/cwd/"},
                      {"root of proc", "/proc/self/root"}};
    mkdir("sub", 0755);
    if (symlink(".", "to-here") != 0 || symlink("/", "to-root") != 0) return 2;
    char path[4200];
    for (unsigned i = 0; i < sizeof kSpellings / sizeof *kSpellings; ++i) {
        const int from_root = strstr(kSpellings[i].by, "root") != NULL;
        snprintf(path, sizeof path, "%s%s%s%s", kSpellings[i].before, from_root ? argv[1] : "",
                 from_root ? "/" : "", name);
        made(kSpellings[i].by, path);
    }
    snprintf(path, sizeof path, "//%s//%s", argv[1], name);
    made("absolute", path);
    snprintf(path, sizeof path, "%s/sub/..//../%s/%s", argv[1], strrchr(argv[1], '/') + 1, name);
    made("absolute, out and in", path);
    const int sub = open("sub", O_PATH);
    snprintf(path, sizeof path, "../%s", name);
    const int fd = openat(sub, path, O_WRONLY | O_CREAT, 0644);
    way("above a descriptor", fd >= 0, errno);
    unlink(name);
    snprintf(path, sizeof path, "/proc/self/fd/%d/../%s", sub, name);
    made("above a descriptor of proc", path);
    snprintf(path, sizeof path, "/dev/fd/%d/../%s", sub, name);
    made("above a descriptor of dev", path);
    // The directory that this is in has a name with every byte that a list, a pattern or JSON would trip over.
    static const char* const kOdd[] = {"back\\slash", "new\nline", "not\xff\xfeutf8", "-rf", "*",
                                       "[a]",         "{a,b}",     "quo\"te",         "..."};
    for (unsigned i = 0; i < sizeof kOdd / sizeof *kOdd; ++i) {
        char by[40];
        snprintf(by, sizeof by, "in an odd directory, %u", i);
        mkdir(kOdd[i], 0755);
        snprintf(path, sizeof path, "%s/%s", kOdd[i], name);
        made(by, path);
    }
    return done();
}
