// Times of files by utimensat and its older forms: exact values, now, and leaving one as it is.
#include "tests/testcases/behaviour/observe.h"

#include <sys/time.h>
#include <utime.h>

// Exact where they are those that this set, else a word.
static const char* shown(struct timespec t, char* text, size_t size) {
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    if (t.tv_sec > now.tv_sec - 600 && t.tv_sec <= now.tv_sec + 600)
        snprintf(text, size, "now");
    else
        snprintf(text, size, "%lld.%09ld", (long long)t.tv_sec, t.tv_nsec);
    return text;
}

static void show(const char* name, const char* path, int returned) {
    const char* first = outcome(returned);
    struct stat s;
    char a[40], m[40];
    if (lstat(path, &s) != 0)
        line(name, "%s | %s", first, strerrorname_np(errno));
    else
        line(name, "%s | atime %s mtime %s", first, shown(s.st_atim, a, sizeof a),
             shown(s.st_mtim, m, sizeof m));
}

static void reset(const char* path) {
    const struct timespec kOld[2] = {{1000000000, 111111111}, {1000000001, 222222222}};
    must(utimensat(AT_FDCWD, path, kOld, AT_SYMLINK_NOFOLLOW) == 0, path);
}

void times(void) {
    put("file", "text", 0644);
    put("readonly", "text", 0444);
    put_directory("dir", 0755);
    put_link("file", "link");
    put_link("absent", "dangling");
    static const struct {
        const char* name;
        struct timespec times[2];
    } kTimes[] = {{"exact", {{1234567890, 123456789}, {1234567891, 987654321}}},
                  {"both now", {{0, UTIME_NOW}, {0, UTIME_NOW}}},
                  {"atime kept", {{0, UTIME_OMIT}, {77, 5}}},
                  {"mtime kept", {{77, 5}, {0, UTIME_OMIT}}},
                  {"both kept", {{0, UTIME_OMIT}, {0, UTIME_OMIT}}},
                  {"one now, one kept", {{0, UTIME_NOW}, {0, UTIME_OMIT}}},
                  {"before 1970", {{-1, 0}, {-1000000, 500}}},
                  {"after 2038", {{0x80000000LL, 0}, {0x100000001LL, 1}}},
                  {"too many nanoseconds", {{0, 1000000000}, {0, 0}}},
                  {"nanoseconds below nothing", {{0, -5}, {0, 0}}}};
    static const char* const kPaths[] = {"file", "dir", "link", "readonly"};
    char name[200];
    for (unsigned t = 0; t < sizeof kTimes / sizeof *kTimes; ++t)
        for (unsigned p = 0; p < sizeof kPaths / sizeof *kPaths; ++p) {
            for (unsigned all = 0; all < 4; ++all) reset(kPaths[all]);
            snprintf(name, sizeof name, "%s of %s", kTimes[t].name, kPaths[p]);
            show(name, kPaths[p][0] == 'l' ? "file" : kPaths[p],
                 utimensat(AT_FDCWD, kPaths[p], kTimes[t].times, 0));
            snprintf(name, sizeof name, "%s of %s, not followed", kTimes[t].name, kPaths[p]);
            show(name, kPaths[p], utimensat(AT_FDCWD, kPaths[p], kTimes[t].times, AT_SYMLINK_NOFOLLOW));
        }
    reset("file");
    show("NULL", "file", utimensat(AT_FDCWD, "file", NULL, 0));
    const struct timespec* exact = kTimes[0].times;
    static const char* const kWrong[] = {
        "missing", "dangling", "file/x", "no/x", "file/", "dir/", "", "/usr/bin/env", "/usr/lib/os-release"};
    for (unsigned i = 0; i < sizeof kWrong / sizeof *kWrong; ++i) {
        snprintf(name, sizeof name, "exact of '%s'", kWrong[i]);
        line(name, "%s", outcome(utimensat(AT_FDCWD, kWrong[i], exact, 0)));
        snprintf(name, sizeof name, "NULL of '%s'", kWrong[i]);
        line(name, "%s", outcome(utimensat(AT_FDCWD, kWrong[i], NULL, 0)));
    }
    const int reader = open("file", O_RDONLY), path = open("file", O_PATH), directory = open("dir", O_RDONLY);
    const int link = open("link", O_PATH | O_NOFOLLOW);
    reset("file");
    show("futimens", "file", futimens(reader, exact));
    reset("file");
    show("futimens with NULL", "file", futimens(reader, NULL));
    reset("file");
    show("futimens by O_PATH", "file", futimens(path, exact));
    show("futimens of a directory", "dir", futimens(directory, exact));
    show("a NULL path with a flag", "file",
         (int)syscall(SYS_utimensat, reader, NULL, exact, AT_SYMLINK_NOFOLLOW));
    show("a NULL path at AT_FDCWD", "file", (int)syscall(SYS_utimensat, AT_FDCWD, NULL, exact, 0));
    reset("file");
    show("an empty path", "file", (int)syscall(SYS_utimensat, path, "", exact, AT_EMPTY_PATH));
    show("an empty path of a link", "link", (int)syscall(SYS_utimensat, link, "", exact, AT_EMPTY_PATH));
    show("a flag that is none", "file", utimensat(AT_FDCWD, "file", exact, 0x4000));
    show("by a bad descriptor", "file", utimensat(77, "file", exact, 0));
    show("absolute beside a bad descriptor", "file", (int)syscall(SYS_utimensat, 77, NULL, exact, 0));
#if defined(SYS_utime)
    const struct utimbuf old = {11, 12};
    const struct timeval micro[2] = {{21, 22}, {23, 24}}, wrong[2] = {{21, 1000000}, {23, 0}};
    show("utime", "file", (int)syscall(SYS_utime, "file", &old));
    show("utime with NULL", "file", (int)syscall(SYS_utime, "file", NULL));
    show("utimes", "file", (int)syscall(SYS_utimes, "file", micro));
    show("utimes over a link", "file", (int)syscall(SYS_utimes, "link", micro));
    show("utimes with too many microseconds", "file", (int)syscall(SYS_utimes, "file", wrong));
    show("futimesat", "dir", (int)syscall(SYS_futimesat, AT_FDCWD, "dir", micro));
    show("futimesat with NULL", "file", (int)syscall(SYS_futimesat, AT_FDCWD, "file", NULL));
    show("futimesat of a descriptor", "file", (int)syscall(SYS_futimesat, reader, NULL, micro));
#endif
    OBSERVE("ctime goes on, exact", utimensat(AT_FDCWD, "file", exact, 0), "file", ".");
    OBSERVE("ctime stays, both kept", utimensat(AT_FDCWD, "file", kTimes[4].times, 0), "file", ".");
    reset("file");
    must(chmod("file", 0444) == 0, "chmod");
    show("exact of one's own read-only file", "file", utimensat(AT_FDCWD, "file", exact, 0));
}
