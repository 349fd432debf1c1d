// Extended attributes by path, by link and by descriptor, in each name space.
#include "tests/testcases/behaviour/observe.h"

#include <sys/xattr.h>

static const char* listed(const char* path) {
    static char text[600];
    char names[500];
    const ssize_t size = listxattr(path, names, sizeof names);
    if (size < 0) return strerrorname_np(errno);
    text[0] = '\0';
    for (const char* at = names; at < names + size; at += strlen(at) + 1)
        snprintf(text + strlen(text), sizeof text - strlen(text), "%s ", at);
    return text;
}

static void by_path(void) {
    static const char* const kPaths[] = {"file",   "dir",  "link",     "dangling", "missing",
                                         "file/x", "fifo", "readonly", "locked",   ""};
    static const char* const kNames[] = {"user.one",
                                         "user.",
                                         "user",
                                         "",
                                         "trusted.x",
                                         "security.x",
                                         "security.capability",
                                         "system.posix_acl_access",
                                         "unknown.x"};
    char name[200];
    for (unsigned p = 0; p < sizeof kPaths / sizeof *kPaths; ++p)
        for (unsigned n = 0; n < sizeof kNames / sizeof *kNames; ++n) {
            snprintf(name, sizeof name, "setxattr of '%s' %s", kPaths[p], kNames[n]);
            OBSERVE(name, setxattr(kPaths[p], kNames[n], "value", 5, 0), kPaths[p]);
            snprintf(name, sizeof name, "lsetxattr of '%s' %s", kPaths[p], kNames[n]);
            OBSERVE(name, lsetxattr(kPaths[p], kNames[n], "Value", 5, 0), kPaths[p]);
            snprintf(name, sizeof name, "listxattr of '%s' then %s", kPaths[p], kNames[n]);
            line(name, "%s", listed(kPaths[p]));
            snprintf(name, sizeof name, "removexattr of '%s' %s", kPaths[p], kNames[n]);
            OBSERVE(name, removexattr(kPaths[p], kNames[n]), kPaths[p]);
            snprintf(name, sizeof name, "lremovexattr of '%s' %s", kPaths[p], kNames[n]);
            OBSERVE(name, lremovexattr(kPaths[p], kNames[n]), kPaths[p]);
        }
}

// Volatile, so that the compiler does not see that they are wrong.
static const void* volatile nothing = NULL;
static const void* volatile bad = (const void*)8;

static void by_flags(void) {
    char value[70000];
    memset(value, 'v', sizeof value);
    line("replace what is not there", "%s", outcome(setxattr("file", "user.a", "1", 1, XATTR_REPLACE)));
    line("create", "%s", outcome(setxattr("file", "user.a", "1", 1, XATTR_CREATE)));
    line("create what is there", "%s", outcome(setxattr("file", "user.a", "2", 1, XATTR_CREATE)));
    line("replace", "%s", outcome(setxattr("file", "user.a", "22", 2, XATTR_REPLACE)));
    line("both flags", "%s", outcome(setxattr("file", "user.a", "2", 1, XATTR_REPLACE | XATTR_CREATE)));
    line("a flag that is none", "%s", outcome(setxattr("file", "user.a", "2", 1, 8)));
    char got[10] = "";
    line("get", "%ld '%s'", (long)getxattr("file", "user.a", got, sizeof got), got);
    line("get into too little", "%s", outcome(getxattr("file", "user.a", got, 1)));
    line("an empty value", "%s", outcome(setxattr("file", "user.empty", "", 0, 0)));
    line("what that gives", "%ld", (long)getxattr("file", "user.empty", got, sizeof got));
    line("NULL of no bytes", "%s", outcome(setxattr("file", "user.null", NULL, 0, 0)));
    line("NULL of some bytes", "%s", outcome(setxattr("file", "user.null", nothing, 3, 0)));
    line("a value of 3000 bytes", "%s", outcome(setxattr("file", "user.big", value, 3000, 0)));
    line("a value of more than 64 KiB", "%s", outcome(setxattr("file", "user.bigger", value, 65537, 0)));
    char name[300];
    memset(name, 'n', sizeof name);
    memcpy(name, "user.", 5);
    name[255] = '\0';
    line("a name of 255 bytes", "%s", outcome(setxattr("dir", name, "1", 1, 0)));
    name[255] = 'n', name[256] = '\0';
    line("a name of 256 bytes", "%s", outcome(setxattr("dir", name, "1", 1, 0)));
    line("a bad name", "%s", outcome(setxattr("file", (const char*)8, "1", 1, 0)));
    line("a bad value", "%s", outcome(setxattr("file", "user.bad", bad, 5, 0)));
    line("a bad path", "%s", outcome(setxattr(bad, "user.bad", "1", 1, 0)));
}

static void by_descriptor(void) {
    const int reader = open("file", O_RDONLY), path = open("file", O_PATH), directory = open("dir", O_RDONLY);
    OBSERVE("fsetxattr by a reader", fsetxattr(reader, "user.f", "1", 1, 0), "file");
    OBSERVE("fsetxattr by O_PATH", fsetxattr(path, "user.g", "1", 1, 0), "file");
    OBSERVE("fsetxattr of a directory", fsetxattr(directory, "user.d", "1", 1, 0), "dir");
    OBSERVE("fsetxattr by nothing", fsetxattr(-1, "user.d", "1", 1, 0), "dir");
    OBSERVE("fsetxattr of security", fsetxattr(reader, "security.x", "1", 1, 0), "file");
    OBSERVE("fremovexattr by a reader", fremovexattr(reader, "user.f"), "file");
    OBSERVE("fremovexattr once more", fremovexattr(reader, "user.f"), "file");
    OBSERVE("fremovexattr by O_PATH", fremovexattr(path, "user.a"), "file");
    char by_proc[64];
    snprintf(by_proc, sizeof by_proc, "/proc/self/fd/%d", path);
    OBSERVE("setxattr by /proc of O_PATH", setxattr(by_proc, "user.p", "1", 1, 0), "file");
    OBSERVE("lsetxattr by /proc of O_PATH", lsetxattr(by_proc, "user.p", "1", 1, 0), "file");
    line("what is on it in the end", "%s", listed("file"));
    must(unlink("file") == 0, "unlink");
    line("fsetxattr of what is gone", "%s", outcome(fsetxattr(reader, "user.f", "1", 1, 0)));
    OBSERVE("setxattr of the system's", setxattr("/usr/bin/env", "user.x", "1", 1, 0), ".");
    OBSERVE("setxattr of a device", setxattr("/dev/null", "user.x", "1", 1, 0), ".");
    line("fsetxattr of a pipe", "%s", outcome(fsetxattr(STDOUT_FILENO, "trusted.x", "1", 1, 0)));
    // Linux 6.13 has them by directory as well.
    const struct {
        unsigned long value;
        unsigned size, flags;
    } arguments = {(unsigned long)"1", 1, 0};
    put("later", "", 0644);
    line("setxattrat", "%s",
         outcome(syscall(463, AT_FDCWD, "later", 0, "user.at", &arguments, sizeof arguments)));
    line("removexattrat", "%s", outcome(syscall(466, AT_FDCWD, "later", 0, "user.at")));
    // Linux 6.17: the attributes of inodes that chattr sets.
    unsigned char attribute[24] = {0};
    line("file_setattr", "%s", outcome(syscall(469, AT_FDCWD, "later", attribute, sizeof attribute, 0)));
}

void extended(void) {
    put("file", "text", 0644);
    put("readonly", "text", 0444);
    put("locked", "text", 0000);
    put_directory("dir", 0755);
    put_link("file", "link");
    put_link("absent", "dangling");
    must(mkfifo("fifo", 0644) == 0, "mkfifo");
    by_path();
    by_flags();
    by_descriptor();
}
