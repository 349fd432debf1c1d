// Files without a name (O_TMPFILE), and how they get one.
#include "tests/testcases/behaviour/observe.h"

#include <sys/xattr.h>

static int make_unnamed(int more) {
    const int fd = open(".", O_TMPFILE | O_RDWR | more, 0640);
    must(fd >= 0 || errno == EOPNOTSUPP, "O_TMPFILE");
    return fd;
}

void unnamed(void) {
    const int fd = make_unnamed(0);
    in_turn("made", "%s | %s", opened(fd), state_of(fd));
    line("write", "%s", outcome(write(fd, "hidden", 6)));
    char link[64], target[PATH_MAX];
    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    const ssize_t got = readlink(link, target, sizeof target - 1);
    target[got < 0 ? 0 : got] = '\0';
    char* number = strstr(target, "/#");
    if (number != NULL) snprintf(number, 14, "/#N (deleted)");
    line("its path by /proc", "%s", shortened(target));
    OBSERVE("link by /proc, not followed", linkat(AT_FDCWD, link, AT_FDCWD, "not", 0), "not");
    OBSERVE("link by /proc", linkat(AT_FDCWD, link, AT_FDCWD, "named", AT_SYMLINK_FOLLOW), "named", ".");
    line("then", "%s", state_of(fd));
    OBSERVE("link it once more", linkat(AT_FDCWD, link, AT_FDCWD, "second", AT_SYMLINK_FOLLOW), "second");
    OBSERVE("link onto what is there", linkat(AT_FDCWD, link, AT_FDCWD, "second", AT_SYMLINK_FOLLOW),
            "second");
    close(fd);

    // AT_EMPTY_PATH without CAP_DAC_READ_SEARCH: since Linux 6.10 for who opened it.
    const int empty = make_unnamed(0);
    OBSERVE("link by an empty path", linkat(empty, "", AT_FDCWD, "by-empty", AT_EMPTY_PATH), "by-empty");
    OBSERVE("link by an empty path without the flag", linkat(empty, "", AT_FDCWD, "by-none", 0), "by-none");
    close(empty);

    const int exclusive = make_unnamed(O_EXCL);
    snprintf(link, sizeof link, "/proc/self/fd/%d", exclusive);
    line("made with O_EXCL", "%s", opened(exclusive));
    OBSERVE("that one cannot be linked", linkat(AT_FDCWD, link, AT_FDCWD, "never", AT_SYMLINK_FOLLOW),
            "never");
    close(exclusive);

    put_directory("sealed", 0555);
    line("in a directory without write", "%s", opened(open("sealed", O_TMPFILE | O_RDWR, 0600)));
    put("file", "", 0644);
    line("in a file", "%s", opened(open("file", O_TMPFILE | O_RDWR, 0600)));
    line("where nothing is", "%s", opened(open("nothing", O_TMPFILE | O_RDWR, 0600)));
    put_link(".", "here");
    const int over_link = open("here", O_TMPFILE | O_RDWR, 0600);
    line("over a link", "%s", opened(over_link));
    line("over a link, not followed", "%s", opened(open("here", O_TMPFILE | O_RDWR | O_NOFOLLOW, 0600)));
    umask(077);
    const int masked = make_unnamed(0);
    line("under a umask", "%s", state_of(masked));
    OBSERVE("fchmod", fchmod(masked, 0755), ".");
    line("fsetxattr", "%s", outcome(fsetxattr(masked, "user.unnamed", "1", 1, 0)));
    snprintf(link, sizeof link, "/dev/fd/%d", masked);
    OBSERVE("link by /dev/fd", linkat(AT_FDCWD, link, AT_FDCWD, "by-dev", AT_SYMLINK_FOLLOW), "by-dev");
    snprintf(link, sizeof link, "/proc/self/task/%ld/fd/%d", (long)getpid(), masked);
    OBSERVE("link by the task's", linkat(AT_FDCWD, link, AT_FDCWD, "by-task", AT_SYMLINK_FOLLOW), "by-task");
    snprintf(link, sizeof link, "/proc/thread-self/fd/%d", masked);
    OBSERVE("link by thread-self", linkat(AT_FDCWD, link, AT_FDCWD, "by-thread", AT_SYMLINK_FOLLOW),
            "by-thread");
    snprintf(link, sizeof link, "/proc/%ld/fd/%d", (long)getpid(), masked);
    OBSERVE("link by its pid", linkat(AT_FDCWD, link, AT_FDCWD, "by-pid", AT_SYMLINK_FOLLOW), "by-pid");
}
