// Raises hard limits, of itself and of the first process.
#include <sys/resource.h>

#include "tests/escape/attack.h"

int main(void) {
    struct rlimit limit;
    const struct {
        const char* name;
        int resource;
    } limits[] = {{"nice", RLIMIT_NICE}, {"real time", RLIMIT_RTPRIO}};
    for (unsigned i = 0; i < 2; ++i) {
        if (getrlimit(limits[i].resource, &limit) != 0) return 2;
        limit.rlim_max += 1;
        call(limits[i].name, setrlimit(limits[i].resource, &limit));
    }
    limit.rlim_max += 1;
    call("of the first process", prlimit(1, RLIMIT_RTPRIO, &limit, NULL));
    return done();
}
