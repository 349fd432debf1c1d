// Loosens the Landlock domain: enters one of its own that allows everything, starts another program.
// Argument: a zone that is read-only for Landlock alone.
#include <sys/prctl.h>

#include "tests/escape/attack.h"

static long write_file(const char* zone) {
    char path[4200];
    snprintf(path, sizeof path, "%s/file", zone);
    return open(path, O_WRONLY);
}

int main(int argc, char** argv) {
    if (argc == 3) return write_file(argv[1]) >= 0 ? 42 : 0;
    const struct { unsigned long handled; } rules = {1 << 1};
    const struct __attribute__((packed)) {
        unsigned long rights;
        int fd;
    } everything = {1 << 1, open("/", O_PATH)};
    const int domain = (int)syscall(444, &rules, sizeof rules, 0);
    syscall(445, domain, 1, &everything, 0);
    prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
    syscall(446, domain, 0);
    call("another domain", write_file(argv[1]));
    const pid_t child = fork();
    if (child == 0) {
        execl(argv[0], argv[0], argv[1], "again", (char*)NULL);
        _exit(1);
    }
    int status = 0;
    waitpid(child, &status, 0);
    way("another program", WIFEXITED(status) && WEXITSTATUS(status) == 42, EACCES);
    return done();
}
