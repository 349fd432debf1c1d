// Makes a ring by which the kernel opens, connects and unlinks with no system call that a filter sees.
#include "tests/escape/attack.h"

int main(void) {
    char parameters[256] = {0};
    past("io_uring_setup", syscall(425, 1, parameters));
    past("io_uring_enter", syscall(426, -1, 0, 0, 0, NULL, 0));
    past("io_uring_register", syscall(427, -1, 0, NULL, 0));
    return done();
}
