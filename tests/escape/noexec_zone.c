// Runs a program that lies in a zone without the right to execute: itself, by the dynamic linker, mapped, and
// copied to the private places. Arguments: the program, the dynamic linker, the home.
#include <sys/mman.h>

#include "tests/escape/attack.h"

static int run(const char* first, const char* second) {
    const pid_t child = fork();
    if (child == 0) {
        if (freopen("/dev/null", "w", stderr) == NULL) _exit(1);
        execl(first, first, second, (char*)NULL);
        _exit(1);
    }
    int status = 0;
    waitpid(child, &status, 0);
    return WIFEXITED(status) && WEXITSTATUS(status) == 42;
}

static int run_copy(const char* from, const char* to) {
    char buffer[65536];
    const int in = open(from, O_RDONLY), out = open(to, O_WRONLY | O_CREAT, 0755);
    ssize_t got;
    while ((got = read(in, buffer, sizeof buffer)) > 0)
        if (write(out, buffer, (size_t)got) != got) return 0;
    close(out);
    return run(to, NULL);
}

int main(int argc, char** argv) {
    if (argc == 1) return 42;
    if (argc != 4) return 2;
    way("run", run(argv[1], NULL), EACCES);
    way("dynamic linker", run(argv[2], argv[1]), EACCES);
    const int fd = open(argv[1], O_RDONLY);
    void* const mapped = mmap(NULL, 4096, PROT_READ | PROT_EXEC, MAP_PRIVATE, fd, 0);
    way("map", mapped != MAP_FAILED, errno);
    void* const readable = mmap(NULL, 4096, PROT_READ, MAP_PRIVATE, fd, 0);
    call("protect", mprotect(readable, 4096, PROT_READ | PROT_EXEC));
    char copy[4200];
    snprintf(copy, sizeof copy, "%s/copy", argv[3]);
    way("copy in the home", run_copy(argv[1], copy), EACCES);
    way("copy in /tmp", run_copy(argv[1], "/tmp/copy"), EACCES);
    return done();
}
