// What calls cost that change a tree: microseconds of each, by the mean of many. Argument: a directory, rounds; then
// "loop" for the time of create, write, rename and unlink alone, or nothing for a line of each call.
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

static long rounds;

static double now(void) {
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (double)time.tv_sec * 1e6 + (double)time.tv_nsec / 1e3;
}

static int closed(int fd) {
    return fd < 0 ? fd : close(fd);
}

static int create_it(void) {
    return closed(open("it", O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644));
}
static int write_it(void) {
    return closed(open("it", O_WRONLY | O_CLOEXEC));
}
static int read_it(void) {
    return closed(open("it", O_RDONLY | O_CLOEXEC));
}
static int rename_it(void) {
    return rename("it", "that");
}
static int rename_back(void) {
    return rename("that", "it");
}
static int unlink_it(void) {
    return unlink("it");
}
static int mkdir_it(void) {
    return mkdir("dir", 0755);
}
static int rmdir_it(void) {
    return rmdir("dir");
}
static int link_it(void) {
    return link("it", "link");
}
static int unlink_link(void) {
    return unlink("link");
}
static int symlink_it(void) {
    return symlink("it", "link");
}
static int chmod_it(void) {
    return chmod("it", 0600);
}
static int utimes_it(void) {
    return utimensat(AT_FDCWD, "it", NULL, 0);
}
static int truncate_it(void) {
    return truncate("it", 0);
}
static int stat_it(void) {
    struct stat s;
    return stat("it", &s);
}

// In an order that each finds what it needs, round after round.
static const struct {
    const char* name;
    int (*call)(void);
} kCalls[] = {{"create", create_it},     {"open to write", write_it},
              {"open to read", read_it}, {"chmod", chmod_it},
              {"utimensat", utimes_it},  {"truncate", truncate_it},
              {"rename", rename_it},     {"rename back", rename_back},
              {"link", link_it},         {"unlink a link", unlink_link},
              {"symlink", symlink_it},   {"unlink a symlink", unlink_link},
              {"mkdir", mkdir_it},       {"rmdir", rmdir_it},
              {"stat", stat_it},         {"unlink", unlink_it}};
enum { kNumber = sizeof kCalls / sizeof *kCalls };

static int fail(const char* what) {
    perror(what);
    return 1;
}

static int loop(void) {
    for (long round = 0; round < rounds; ++round) {
        const int fd = open("it", O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
        if (fd < 0 || write(fd, "some bytes", 10) != 10 || close(fd) != 0) return fail("write");
        if (rename("it", "that") != 0 || unlink("that") != 0) return fail("rename");
    }
    return 0;
}

int main(int argc, char** argv) {
    if (argc < 3 || chdir(argv[1]) != 0) return 2;
    rounds = atol(argv[2]);
    if (argc == 4 && strcmp(argv[3], "loop") == 0) return loop();
    static double spent[kNumber];
    for (long round = 0; round < rounds; ++round)
        for (int at = 0; at < kNumber; ++at) {
            const double began = now();
            if (kCalls[at].call() != 0) return fail(kCalls[at].name);
            spent[at] += now() - began;
        }
    for (int at = 0; at < kNumber; ++at) printf("%s\t%.3f\n", kCalls[at].name, spent[at] / (double)rounds);
    return 0;
}
