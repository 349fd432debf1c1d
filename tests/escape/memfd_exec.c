// Runs a program that is in no file: from a memfd, by execveat() and by its link in /proc.
#include <sys/mman.h>

#include "tests/escape/attack.h"

static int runs(int fd, int by_link) {
    const pid_t child = fork();
    if (child == 0) {
        char path[64], name[] = "child";
        char *const arguments[] = {name, name, NULL}, *const environment[] = {NULL};
        snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
        if (by_link)
            execve(path, arguments, environment);
        else
            syscall(SYS_execveat, fd, "", arguments, environment, AT_EMPTY_PATH);
        _exit(1);
    }
    int status = 0;
    waitpid(child, &status, 0);
    return WIFEXITED(status) && WEXITSTATUS(status) == 42;
}

static void attempt(const char* name, unsigned flags, int by_link) {
    const int fd = (int)syscall(SYS_memfd_create, "x", flags);
    const int self = open("/proc/self/exe", O_RDONLY);
    char buffer[65536];
    ssize_t got;
    while (fd >= 0 && (got = read(self, buffer, sizeof buffer)) > 0)
        if (write(fd, buffer, (size_t)got) != got) exit(2);
    close(self);
    fchmod(fd, 0755);
    // A descriptor that is open for writing is ETXTBSY.
    char path[64];
    snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
    const int readable = open(path, O_RDONLY);
    close(fd);
    way(name, readable >= 0 && runs(readable, by_link), EACCES);
}

int main(int argc, char** argv) {
    (void)argv;
    if (argc > 1) return 42;
    attempt("execveat", 0, 0);
    attempt("link", 0, 1);
    attempt("said to be executable", 0x10 /* MFD_EXEC */, 0);
    return done();
}
