// Opens settings of the kernel for writing, and writes nothing.
#include "tests/escape/attack.h"

int main(void) {
    const char* paths[] = {"/proc/sys/kernel/core_pattern", "/proc/sys/kernel/panic",
                           "/proc/sys/vm/drop_caches", "/proc/sys/vm/overcommit_memory",
                           "/proc/sys/net/ipv4/ip_forward"};
    for (unsigned i = 0; i < sizeof paths / sizeof *paths; ++i) call(paths[i], open(paths[i], O_WRONLY));
    call("/sys", open("/sys", O_RDONLY));
    return done();
}
