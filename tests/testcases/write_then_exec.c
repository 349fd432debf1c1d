// Writes programs and runs them at once, as compilers, package managers and agents do: a descriptor for writing that
// somebody still holds a moment too long is ETXTBSY. Arguments: a directory, rounds, processes, threads of each.
//
// Prints "rounds R, failed F" and the first failure; exits with 0 where there was none.
//
// Threads of one process disturb each other even without any of that: a child that is being started has copies of
// all descriptors until it runs its program. So writing and starting exclude each other within a process, as those
// programs have it that know of this (Go's, for one).
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <spawn.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

extern char** environ;

enum { kCode = 7 };

static struct {
    atomic_long next, failed;
    char first[200];
} * all;
static long rounds, at;  // `at`: the number of the process
static pthread_rwlock_t apart = PTHREAD_RWLOCK_INITIALIZER;

static void fail(const char* what, long round, int error) {
    if (atomic_fetch_add(&all->failed, 1) == 0)
        snprintf(all->first, sizeof all->first, "round %ld: %s: %s", round, what, strerror(error));
}

// Writes to a descriptor and closes it. errno of what failed, or 0.
static int written(int fd, bool program) {
    if (fd < 0) return errno;
    static const char kScript[] = "#!/bin/sh\nexit 7\n";
    bool done = true;
    if (program) {
        static _Thread_local char bytes[1 << 16];
        const int from = open("/proc/self/exe", O_RDONLY | O_CLOEXEC);
        for (ssize_t got; done && (got = read(from, bytes, sizeof bytes)) != 0;)
            done = got > 0 && write(fd, bytes, (size_t)got) == got;
        close(from);
    } else {
        done = write(fd, kScript, sizeof kScript - 1) == sizeof kScript - 1;
    }
    const int error = done ? 0 : errno;
    return close(fd) != 0 && error == 0 ? errno : error;
}

// By the ways in which programs do this: a new file, over an old one, by a name that is then moved, chmod afterwards,
// an unnamed file that is linked.
static int make(const char* path, long round) {
    char other[100];
    int error;
    snprintf(other, sizeof other, "%s.new", path);
    switch (round % 5) {
        case 0:
            return written(open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0755), round % 2 == 0);
        case 1:
            error = written(open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0644), true);
            if (error == 0)
                error = written(open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644), round % 2 == 0);
            return error != 0 ? error : chmod(path, 0755) != 0 ? errno : 0;
        case 2:
            error = written(open(other, O_RDWR | O_CREAT | O_CLOEXEC, 0755), round % 2 == 0);
            return error != 0 ? error : rename(other, path) != 0 ? errno : 0;
        case 3:
            return written(creat(path, 0700), round % 2 == 0);
        default: {
            const int fd = open(".", O_TMPFILE | O_WRONLY | O_CLOEXEC, 0755);
            char link[64];
            snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
            if (fd < 0 || linkat(AT_FDCWD, link, AT_FDCWD, path, AT_SYMLINK_FOLLOW) != 0) return errno;
            return written(fd, round % 2 == 0);
        }
    }
}

static void once(long round) {
    char path[64], option[] = "leave";
    snprintf(path, sizeof path, "./made-%ld-%ld", at, round);
    pthread_rwlock_rdlock(&apart);
    int error = make(path, round);
    pthread_rwlock_unlock(&apart);
    if (error != 0) {
        fail("write", round, error);
        return;
    }
    char* arguments[] = {path, option, NULL};
    pid_t child;
    pthread_rwlock_wrlock(&apart);
    error = posix_spawn(&child, path, NULL, NULL, arguments, environ);
    pthread_rwlock_unlock(&apart);
    if (error != 0) {
        fail("exec", round, error);
    } else {
        int status;
        if (waitpid(child, &status, 0) != child || !WIFEXITED(status) || WEXITSTATUS(status) != kCode)
            fail("what was run ended otherwise", round, 0);
    }
    unlink(path);
}

static void* work(void* unused) {
    for (long round; (round = atomic_fetch_add(&all->next, 1)) < rounds;) once(round);
    return unused;
}

int main(int argc, char** argv) {
    if (argc == 2 && strcmp(argv[1], "leave") == 0) return kCode;
    if (argc != 5 || chdir(argv[1]) != 0) return 2;
    rounds = atol(argv[2]);
    const long processes = atol(argv[3]), threads = atol(argv[4]);
    all = mmap(NULL, sizeof *all, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (all == MAP_FAILED) return 2;
    for (at = 0; at < processes; ++at) {
        if (fork() != 0) continue;
        pthread_t others[threads];
        for (long i = 0; i < threads; ++i)
            if (pthread_create(&others[i], NULL, work, NULL) != 0) _exit(2);
        for (long i = 0; i < threads; ++i) pthread_join(others[i], NULL);
        _exit(0);
    }
    bool whole = true;
    for (int status; wait(&status) > 0;) whole = whole && WIFEXITED(status) && WEXITSTATUS(status) == 0;
    printf("rounds %ld, failed %ld%s%s\n", rounds, (long)all->failed, all->failed != 0 ? ": " : "",
           all->first);
    return whole && all->failed == 0 ? 0 : 1;
}
