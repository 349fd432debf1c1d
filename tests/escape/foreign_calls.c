// Makes system calls by the numbers of other architectures, which the lists are not about: i386 by int 0x80
// (also socketcall, by which sockets of all kinds are made there), and x32.
#include "tests/escape/attack.h"

#if defined(__x86_64__)
static long i386_call(long number, long first) {
    long result;
    __asm__ volatile("int $0x80"
                     : "=a"(result)
                     : "a"(number), "b"(first), "c"(0)
                     : "memory", "r8", "r9", "r10", "r11");
    return result;
}

static void in_child(const char* name, long (*attempt)(void)) {
    const pid_t child = fork();
    if (child == 0) _exit(attempt() >= 0 ? 42 : 0);
    int status = 0;
    waitpid(child, &status, 0);
    way(name, WIFEXITED(status) && WEXITSTATUS(status) == 42, 0);
}

static long getpid_of_i386(void) {
    return i386_call(20, 0);
}
static long umask_of_i386(void) {
    return i386_call(60, 022);
}
static long socketcall(void) {
    return i386_call(102, 0) == -22 ? 0 : -1;  // it looks at the number of the function and says EINVAL
}
static long x32(void) {
    return syscall(0x40000000 | SYS_getpid);
}

int main(int argc, char** argv) {
    if (argc > 1 && strcmp(argv[1], "absent") == 0) {
        printf("this machine has no i386 calls: who makes one gets a signal\n");
        return 77;
    }
    in_child("i386 getpid", getpid_of_i386);
    in_child("i386 umask", umask_of_i386);
    in_child("i386 socketcall", socketcall);
    in_child("x32 getpid", x32);
    return done();
}
#else
int main(void) {
    printf("no such calls on this machine\n");
    return 77;
}
#endif
