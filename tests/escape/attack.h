// What all attacks share: they try some ways, say of each what came of it, and exit 0 when any got through,
// else 1.
#pragma once

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

static int any_through;

static inline void way(const char* name, int through, int error) {
    if (through)
        printf("%s: through\n", name);
    else
        printf("%s: stopped: %s\n", name, error ? strerror(error) : "no effect");
    fflush(stdout);
    any_through |= through;
}

// A call that was stopped if it failed at all.
static inline void call(const char* name, long result) {
    way(name, result >= 0, errno);
}

// A call that was stopped if the answer is one of a wall's; any other error comes from behind the wall, from
// arguments that do no harm on purpose.
static inline void past(const char* name, long result) {
    const int e = errno;
    const int of_wall = e == EPERM || e == EACCES || e == ENOSYS || e == EAFNOSUPPORT ||
                        e == EPROTONOSUPPORT || e == ESOCKTNOSUPPORT;
    way(name, result >= 0 || !of_wall, e);
}

static inline int done(void) {
    return any_through ? 0 : 1;
}

// Whether the file at `path`, from `directory`, can be read and holds `text`.
static inline int reads(int directory, const char* path, const char* text) {
    char buffer[4096];
    const int fd = openat(directory, path, O_RDONLY | O_CLOEXEC);
    if (fd < 0) return 0;
    const ssize_t got = read(fd, buffer, sizeof buffer);
    close(fd);
    if (got <= 0) errno = ENODATA;
    return got > 0 && memmem(buffer, (size_t)got, text, strlen(text)) != NULL;
}
