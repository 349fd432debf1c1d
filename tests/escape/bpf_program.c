// Loads programs and makes maps in the kernel.
#include <linux/bpf.h>

#include "tests/escape/attack.h"

int main(void) {
    union bpf_attr attr;
    memset(&attr, 0, sizeof attr);
    attr.map_type = BPF_MAP_TYPE_ARRAY;
    attr.key_size = attr.value_size = 4;
    attr.max_entries = 1;
    call("map", syscall(SYS_bpf, BPF_MAP_CREATE, &attr, sizeof attr));
    memset(&attr, 0, sizeof attr);
    past("load", syscall(SYS_bpf, BPF_PROG_LOAD, &attr, sizeof attr));
    return done();
}
