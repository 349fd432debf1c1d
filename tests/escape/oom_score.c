// Makes the kernel take others first when memory runs out.
#include "tests/escape/attack.h"

static void lower(const char* to) {
    char text[16] = "";
    const int fd = open("/proc/self/oom_score_adj", O_RDWR);
    const ssize_t written = write(fd, to, strlen(to));
    const int error = errno;
    if (pread(fd, text, sizeof text - 1, 0) > 0) way(to, written > 0 && atoi(text) < 200, error);
    close(fd);
}

int main(void) {
    lower("0");
    lower("199");
    return done();
}
