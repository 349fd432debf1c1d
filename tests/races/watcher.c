// Looks from outside, the whole time, whether a name that is forbidden comes to be on a file system: each name that is
// made or moved there is told by fanotify, whatever happens to it a moment later. Argument: the mount of the file
// system, that is nobody else's. Says "ready", goes on until standard input is closed and all is read, prints a line
// for each that it saw, and how many events there were. Needs root.
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/fanotify.h>
#include <sys/stat.h>
#include <unistd.h>

static long events, seen;
static int mount_fd;

// What is forbidden: a name anywhere, or one in a directory whose path ends so.
static const struct {
    const char *name, *directory;
} kForbidden[] = {{".mcp.json", ""}, {"evil", "/.git/hooks"}, {"settings.json", "/.claude"}};

static bool ends_with(const char* text, const char* end) {
    const size_t a = strlen(text), b = strlen(end);
    return a >= b && strcmp(text + a - b, end) == 0;
}

static void tell(const char* directory, const char* name) {
    printf("forbidden: %s/%s\n", directory, name);
    ++seen;
}

static void judge(struct file_handle* handle, const char* name) {
    char link[64], directory[4096] = "(gone)";
    const int fd = open_by_handle_at(mount_fd, handle, O_PATH | O_CLOEXEC);
    if (fd >= 0) {
        snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
        const ssize_t got = readlink(link, directory, sizeof directory - 1);
        directory[got < 0 ? 0 : got] = '\0';
    }
    for (unsigned i = 0; i < sizeof kForbidden / sizeof *kForbidden; ++i) {
        if (strcmp(name, kForbidden[i].name) == 0 && ends_with(directory, kForbidden[i].directory))
            tell(directory, name);
        // A directory that moved may have brought it along.
        char path[4096 + 300], below[4400];
        struct stat s;
        if (*kForbidden[i].directory == '\0') continue;
        snprintf(path, sizeof path, "%s/%s", directory, name);
        snprintf(below, sizeof below, "%s/%s", name, kForbidden[i].name);
        if (ends_with(path, kForbidden[i].directory) && fstatat(fd, below, &s, AT_SYMLINK_NOFOLLOW) == 0)
            tell(path, kForbidden[i].name);
    }
    if (fd >= 0) close(fd);
}

static void take(const struct fanotify_event_metadata* event) {
    ++events;
    if (event->mask & FAN_Q_OVERFLOW) {
        printf("forbidden: some events were lost\n");
        ++seen;
        return;
    }
    const char* at = (const char*)event + event->metadata_len;
    while (at < (const char*)event + event->event_len) {
        struct fanotify_event_info_fid* info = (struct fanotify_event_info_fid*)at;
        struct file_handle* handle = (struct file_handle*)info->handle;
        if (info->hdr.info_type == FAN_EVENT_INFO_TYPE_DFID_NAME)
            judge(handle, (const char*)handle->f_handle + handle->handle_bytes);
        at += info->hdr.len;
    }
}

// False where nothing was there to read.
static bool read_some(int group) {
    static char buffer[1 << 18] __attribute__((aligned(8)));
    ssize_t got = read(group, buffer, sizeof buffer);
    if (got <= 0) return false;
    for (const struct fanotify_event_metadata* event = (const void*)buffer; FAN_EVENT_OK(event, got);
         event = FAN_EVENT_NEXT(event, got))
        take(event);
    return true;
}

int main(int argc, char** argv) {
    const int group = fanotify_init(
        FAN_CLASS_NOTIF | FAN_REPORT_DFID_NAME | FAN_UNLIMITED_QUEUE | FAN_CLOEXEC | FAN_NONBLOCK, O_RDONLY);
    mount_fd = argc == 2 ? open(argv[1], O_RDONLY | O_DIRECTORY | O_CLOEXEC) : -1;
    if (group < 0 || mount_fd < 0 ||
        fanotify_mark(group, FAN_MARK_ADD | FAN_MARK_FILESYSTEM, FAN_CREATE | FAN_MOVED_TO | FAN_ONDIR,
                      AT_FDCWD, argv[1]) != 0) {
        perror("watcher");
        return 2;
    }
    printf("ready\n");
    fflush(stdout);
    struct pollfd wait[] = {{STDIN_FILENO, POLLIN, 0}, {group, POLLIN, 0}};
    while (wait[0].revents == 0) {
        if (poll(wait, 2, -1) < 0 && errno != EINTR) return 2;
        read_some(group);
    }
    while (read_some(group)) {
    }
    printf("%ld events, %ld forbidden\n", events, seen);
    return 0;
}
