// Changes a protected file by calls that are newer than what judges: what is not known must not be let through.
// Runs in the directory of argument 1; argument 2 is the file.
#include "tests/escape/attack.h"

enum {
    kFchmodat2 = 452,
    kSetxattrat = 463,
    kRemovexattrat = 466,
    kOpenTreeAttr = 467,
    kFileSetattr = 469,
    kNone = 600,
};

int main(int argc, char** argv) {
    if (argc != 3 || chdir(argv[1]) != 0) return 2;
    const char* file = argv[2];
    const struct { unsigned long long flags, mode, resolve; } how = {O_WRONLY, 0, 0};
    call("openat2", syscall(SYS_openat2, AT_FDCWD, file, &how, sizeof how));
    call("fchmodat2", syscall(kFchmodat2, AT_FDCWD, file, 0666, 0));
    const struct {
        unsigned long value;
        unsigned size, flags;
    } value = {(unsigned long)"1", 1, 0};
    call("setxattrat", syscall(kSetxattrat, AT_FDCWD, file, 0, "user.evil", &value, sizeof value));
    call("removexattrat", syscall(kRemovexattrat, AT_FDCWD, file, 0, "user.evil"));
    unsigned char attributes[24] = {0};
    call("file_setattr", syscall(kFileSetattr, AT_FDCWD, file, attributes, sizeof attributes, 0));
    return done();
}
