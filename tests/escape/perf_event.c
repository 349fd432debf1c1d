// Counts events with the kernel's profiler, a large and often broken surface.
#include <linux/perf_event.h>

#include "tests/escape/attack.h"

int main(void) {
    struct perf_event_attr attr = {.type = PERF_TYPE_SOFTWARE,
                                   .size = sizeof attr,
                                   .config = PERF_COUNT_SW_TASK_CLOCK,
                                   .exclude_kernel = 1,
                                   .exclude_hv = 1};
    call("perf_event_open", syscall(SYS_perf_event_open, &attr, 0, -1, -1, 0));
    return done();
}
