// What all races share: one thread changes something all the time while another makes a call that is to be judged by
// it, round after round, until what is forbidden exists (and stays) or the rounds are over. Arguments of each: the
// directory that the test made for it, the rounds.
//
// Prints "rounds R, passed P, refused F, through T": calls that did what is allowed, calls that were refused, and
// whether what is forbidden came to be. Exits with 0 where it did, else with 1; with 2 where there was no race.
#pragma once

#include <errno.h>
#include <fcntl.h>
#include <linux/fs.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <unistd.h>

static long rounds, passed;
static atomic_long refused;
static bool through;
static atomic_bool over;
static pthread_t changer;

static inline void need(bool done, const char* what) {
    if (done) return;
    fprintf(stderr, "race: %s: %s\n", what, strerror(errno));
    _exit(2);
}

static inline void begin(int argc, char** argv, void* (*change)(void*)) {
    if (argc < 3) _exit(2);
    need(chdir(argv[1]) == 0, argv[1]);
    rounds = atol(argv[2]);
    need(pthread_create(&changer, NULL, change, NULL) == 0, "pthread_create");
}

static inline int end(long done) {
    over = true;
    pthread_join(changer, NULL);
    printf("rounds %ld, passed %ld, refused %ld, through %d\n", done, passed, (long)refused, through);
    return through ? 0 : 1;
}

// Counts a call of the thread that changes things, where that itself may be refused.
static inline void try_change(long returned) {
    if (returned < 0 && (errno == EACCES || errno == EPERM || errno == EXDEV)) ++refused;
}

// Counts a call. Refusals are what a policy says; what a race alone says (the name is just not there) is neither.
static inline void count(long returned) {
    if (returned >= 0)
        ++passed;
    else if (errno == EACCES || errno == EPERM || errno == EXDEV)
        ++refused;
}

// Whether the name exists, of whatever kind.
static inline bool exists(const char* path) {
    struct stat s;
    return lstat(path, &s) == 0;
}

static inline bool holds(const char* path, const char* text) {
    char buffer[256];
    const int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0) return false;
    const ssize_t got = read(fd, buffer, sizeof buffer);
    close(fd);
    return got > 0 && memmem(buffer, (size_t)got, text, strlen(text)) != NULL;
}

static inline int exchange(const char* a, const char* b) {
    return (int)syscall(SYS_renameat2, AT_FDCWD, a, AT_FDCWD, b, RENAME_EXCHANGE);
}

static inline void make(const char* path) {
    const int fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0644);
    need(fd >= 0, path);
    close(fd);
}
