#include "tests/testcases/behaviour/observe.h"

#include <dirent.h>
#include <stdarg.h>

char here[PATH_MAX];
const char* group_name = "";

enum { kRoom = 1200, kRooms = 16 };

// Text that callers use within one line; a ring, so that nothing needs to be freed.
static char* room(void) {
    static _Thread_local char rooms[kRooms][kRoom];
    static _Thread_local unsigned next;
    return rooms[next++ % kRooms];
}

static void append(char* text, const char* format, ...) {
    const size_t used = strlen(text);
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(text + used, kRoom - used, format, arguments);
    va_end(arguments);
}

void must(bool done, const char* what) {
    if (done) return;
    fprintf(stderr, "behaviour: %s: %s: %s\n", group_name, what, strerror(errno));
    _exit(2);
}

void line(const char* name, const char* format, ...) {
    char text[3000];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    for (char* at = text; *at != '\0'; ++at)
        if (*at == '\n') *at = '~';
    // One write a line: children and threads of a group write to the same stream.
    char whole[4096];
    const int size = snprintf(whole, sizeof whole, "%s/%s: %s\n", group_name, name, text);
    must(write(STDOUT_FILENO, whole, (size_t)size) == size, "write");
}

void line_of(const char* name, const char* format, const char* const* texts, size_t count) {
    char text[3000] = "";
    size_t used = 0, next = 0;
    for (const char* at = format; *at != '\0' && used + 2 < sizeof text; ++at) {
        if (at[0] == '%' && at[1] == 's') {
            must(next < count, "a text for each %s");
            used += (size_t)snprintf(text + used, sizeof text - used, "%s", texts[next++]);
            if (used >= sizeof text) used = sizeof text - 1;
            ++at;
        } else {
            text[used++] = *at;
            text[used] = '\0';
        }
    }
    must(next == count, "a %s for each text");
    line(name, "%s", text);
}

const char* outcome(long returned) {
    return returned == -1 ? strerrorname_np(errno) : "ok";
}

static void append_stat(char* text, const struct stat* s) {
    static const struct {
        mode_t type;
        const char* word;
    } kTypes[] = {{S_IFREG, "file"},    {S_IFDIR, "directory"}, {S_IFLNK, "link"}, {S_IFIFO, "fifo"},
                  {S_IFSOCK, "socket"}, {S_IFCHR, "character"}, {S_IFBLK, "block"}};
    for (unsigned i = 0; i < sizeof kTypes / sizeof *kTypes; ++i)
        if ((s->st_mode & S_IFMT) == kTypes[i].type) append(text, "%s", kTypes[i].word);
    append(text, " %04o links=%lu", s->st_mode & 07777, (unsigned long)s->st_nlink);
    if (s->st_uid != geteuid()) append(text, " other-user");
    if (s->st_gid != getegid()) append(text, " other-group");
    if (S_ISREG(s->st_mode)) append(text, " size=%ld", (long)s->st_size);
}

static void append_content(char* text, int fd, off_t size) {
    char bytes[49];
    const ssize_t got = size > 48 ? -1 : pread(fd, bytes, sizeof bytes - 1, 0);
    if (got < 0) return;
    bytes[got] = '\0';
    append(text, " '%s'", bytes);
}

const char* state(const char* path) {
    const int error = errno;
    char* text = room();
    text[0] = '\0';
    struct stat s;
    if (lstat(path, &s) != 0) {
        append(text, "%s", strerrorname_np(errno));
    } else {
        append_stat(text, &s);
        char target[PATH_MAX];
        const ssize_t got = S_ISLNK(s.st_mode) ? readlink(path, target, sizeof target - 1) : -1;
        if (got >= 0) {
            target[got] = '\0';
            append(text, " '%.200s'", shortened(target));
        }
        // Without a trace: O_NOATIME, and no FIFO or device is opened.
        const int fd = S_ISREG(s.st_mode) ? open(path, O_RDONLY | O_NOATIME | O_CLOEXEC) : -1;
        if (fd >= 0) append_content(text, fd, s.st_size);
        if (fd >= 0) close(fd);
    }
    errno = error;
    return text;
}

const char* state_of(int fd) {
    const int error = errno;
    char* text = room();
    text[0] = '\0';
    struct stat s;
    if (fstat(fd, &s) != 0)
        append(text, "%s", strerrorname_np(errno));
    else
        append_stat(text, &s);
    errno = error;
    return text;
}

const char* opened(int fd) {
    if (fd < 0) return strerrorname_np(errno);
    const int error = errno;
    char* text = room();
    text[0] = '\0';
    append(text, "ok getfl=%#o getfd=%d at=%ld", (unsigned)fcntl(fd, F_GETFL), fcntl(fd, F_GETFD),
           (long)lseek(fd, 0, SEEK_CUR));
    errno = error;
    return text;
}

const char* shortened(const char* path) {
    const size_t size = strlen(here);
    if (strncmp(path, here, size) != 0) return path;
    char* text = room();
    text[0] = '\0';
    append(text, ".%s", path + size);
    return text;
}

void put(const char* path, const char* text, mode_t mode) {
    const int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    must(fd >= 0 && write(fd, text, strlen(text)) == (ssize_t)strlen(text) && fchmod(fd, mode) == 0, path);
    close(fd);
}

void put_directory(const char* path, mode_t mode) {
    must(mkdir(path, 0700) == 0 && chmod(path, mode) == 0, path);
}

void put_link(const char* target, const char* path) {
    must(symlink(target, path) == 0, path);
}

// By descriptors: what is below may be deeper than a path can say, and without the rights to go in.
static void clear_in(int directory) {
    DIR* stream = fdopendir(directory);
    must(stream != NULL, "fdopendir");
    for (struct dirent* entry; (entry = readdir(stream)) != NULL;) {
        const char* name = entry->d_name;
        if (strcmp(name, ".") == 0 || strcmp(name, "..") == 0) continue;
        if (unlinkat(directory, name, 0) == 0) continue;
        must(errno == EISDIR && fchmodat(directory, name, 0700, 0) == 0, name);
        const int below = openat(directory, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
        must(below >= 0, name);
        clear_in(below);
        must(unlinkat(directory, name, AT_REMOVEDIR) == 0, name);
    }
    closedir(stream);
}

void clear(const char* path) {
    const int directory = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    must(directory >= 0, path);
    clear_in(directory);
}

// --- times

enum { kWatched = 4 };
static const char* const* watched;
static struct stat before[kWatched];
static bool there[kWatched];

static bool later(struct timespec a, struct timespec b) {
    return a.tv_sec != b.tv_sec ? a.tv_sec > b.tv_sec : a.tv_nsec > b.tv_nsec;
}

// Until a change must show: the kernel stamps files with a clock of its own ticks, and with finer times now and then.
static void wait_past(struct timespec stamp) {
    struct timespec now;
    do {
        clock_gettime(CLOCK_REALTIME_COARSE, &now);
    } while (!later(now, stamp));
}

void begin_watch(const char* const* of) {
    watched = of;
    struct timespec newest;
    clock_gettime(CLOCK_REALTIME_COARSE, &newest);
    for (unsigned i = 0; i < kWatched && of[i] != NULL; ++i) {
        there[i] = lstat(of[i], &before[i]) == 0;
        if (there[i] && later(before[i].st_ctim, newest)) newest = before[i].st_ctim;
    }
    wait_past(newest);
}

static bool same(struct timespec a, struct timespec b) {
    return a.tv_sec == b.tv_sec && a.tv_nsec == b.tv_nsec;
}

void end_watch(const char* name, long returned) {
    char* text = room();
    text[0] = '\0';
    append(text, "%s", outcome(returned));
    for (unsigned i = 0; i < kWatched && watched[i] != NULL; ++i) {
        struct stat now;
        append(text, " | %.60s", shortened(watched[i]));
        // The root of a session is another than that of the host.
        if (strspn(watched[i], "/") == strlen(watched[i]) && watched[i][0] != '\0') continue;
        if (lstat(watched[i], &now) == 0 && there[i]) {
            // The times of another object are not those that it was compared with.
            const bool other = now.st_ino != before[i].st_ino;
            append(text, "%s%s%s", other ? " another" : "",
                   other || same(now.st_mtim, before[i].st_mtim) ? "" : " mtime",
                   other || same(now.st_ctim, before[i].st_ctim) ? "" : " ctime");
        }
        append(text, " %s", state(watched[i]));
    }
    line(name, "%s", text);
}

bool in_child(void (*work)(void)) {
    const pid_t child = fork();
    must(child >= 0, "fork");
    if (child == 0) {
        work();
        _exit(0);
    }
    int status;
    must(waitpid(child, &status, 0) == child, "waitpid");
    return WIFEXITED(status) && WEXITSTATUS(status) == 0;
}
