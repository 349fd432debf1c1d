// Locks of files between processes and descriptors, and leases, which show every descriptor that is open anywhere.
#include "tests/testcases/behaviour/observe.h"

#include <sys/file.h>

static int locked(int fd, int command, short type) {
    struct flock lock = {.l_type = type, .l_whence = SEEK_SET, .l_start = 0, .l_len = 10};
    return fcntl(fd, command, &lock);
}

static const char* holder(int fd, int command) {
    struct flock lock = {.l_type = F_WRLCK, .l_whence = SEEK_SET, .l_start = 0, .l_len = 10};
    if (fcntl(fd, command, &lock) != 0) return strerrorname_np(errno);
    return lock.l_type == F_UNLCK    ? "nobody"
           : lock.l_pid == getppid() ? "the parent"
           : lock.l_pid == -1        ? "a descriptor"
                                     : "another";
}

static void tries(void) {
    const int fd = open("file", O_RDWR | O_CREAT | O_CLOEXEC, 0644);
    in_turn("a child's try", "flock %s, fcntl %s held by %s, descriptor's %s held by %s",
            outcome(flock(fd, LOCK_EX | LOCK_NB)), outcome(locked(fd, F_SETLK, F_WRLCK)), holder(fd, F_GETLK),
            outcome(locked(fd, F_OFD_SETLK, F_WRLCK)), holder(fd, F_OFD_GETLK));
}

static void tries_again(void) {
    tries();
}

static void leased(const char* name, int flags, int type) {
    const int fd = open("leased", flags | O_CREAT | O_CLOEXEC, 0644);
    line(name, "%s", outcome(fcntl(fd, F_SETLEASE, type)));
    fcntl(fd, F_SETLEASE, F_UNLCK);
    close(fd);
}

void locks(void) {
    const int fd = open("file", O_RDWR | O_CREAT | O_CLOEXEC, 0644);
    line("flock", "%s", outcome(flock(fd, LOCK_EX)));
    in_child(tries);
    const int second = open("file", O_RDWR | O_CREAT | O_CLOEXEC, 0644);
    line("flock by a second descriptor", "%s", outcome(flock(second, LOCK_EX | LOCK_NB)));
    flock(fd, LOCK_UN);
    line("when it is free", "%s", outcome(flock(second, LOCK_EX | LOCK_NB)));
    flock(second, LOCK_UN);
    line("fcntl", "%s", outcome(locked(fd, F_SETLK, F_WRLCK)));
    in_child(tries_again);
    line("fcntl by a second descriptor of the same process", "%s", outcome(locked(second, F_SETLK, F_WRLCK)));
    // Any close of the file by the process gives it up.
    close(second);
    in_child(tries);
    const int third = open("file", O_RDWR | O_CREAT | O_CLOEXEC, 0644);
    line("of the descriptor", "%s", outcome(locked(fd, F_OFD_SETLK, F_WRLCK)));
    in_turn("of the descriptor, by a second one", "%s held by %s",
            outcome(locked(third, F_OFD_SETLK, F_WRLCK)), holder(third, F_OFD_GETLK));
    in_child(tries);
    close(fd);
    line("when that is closed", "%s", outcome(locked(third, F_OFD_SETLK, F_WRLCK)));
    line("a write lock by a reader", "%s", outcome(locked(open("file", O_RDONLY), F_SETLK, F_WRLCK)));
    line("a read lock by a writer", "%s", outcome(locked(open("file", O_WRONLY), F_SETLK, F_RDLCK)));
    // A write lease is given only where no other descriptor is open, in any process.
    leased("a write lease of what was just made", O_RDWR, F_WRLCK);
    leased("a write lease of what is there", O_WRONLY, F_WRLCK);
    leased("a read lease by a reader", O_RDONLY, F_RDLCK);
    leased("a read lease by a writer", O_RDWR, F_RDLCK);
    for (int i = 0; i < 50; ++i) {
        const int again = open("leased", O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
        must(fcntl(again, F_SETLEASE, F_WRLCK) == 0 || errno == EAGAIN || errno == EACCES, "lease");
        if (fcntl(again, F_GETLEASE) != F_WRLCK) line("a write lease, again", "refused in round %d", i);
        close(again);
    }
}
