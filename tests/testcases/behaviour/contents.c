// What was opened is a file like any other: reading and writing by every means, listing, and what is told of changes.
#include "tests/testcases/behaviour/observe.h"

#include <dirent.h>
#include <sys/inotify.h>
#include <sys/mman.h>
#include <sys/sendfile.h>
#include <sys/uio.h>

static const char* listed(DIR* directory) {
    static char text[4096];
    char names[60][64];
    int count = 0;
    rewinddir(directory);
    for (struct dirent* entry; count < 60 && (entry = readdir(directory)) != NULL;)
        snprintf(names[count++], 64, "%.62s", entry->d_name);
    qsort(names, (size_t)count, sizeof *names, (int (*)(const void*, const void*))strcmp);
    text[0] = '\0';
    for (int i = 0; i < count; ++i)
        snprintf(text + strlen(text), sizeof text - strlen(text), "%.63s ", names[i]);
    return text;
}

static void moving_bytes(void) {
    put("source", "0123456789abcdef", 0644);
    const int from = open("source", O_RDWR), to = open("target", O_RDWR | O_CREAT | O_TRUNC, 0644);
    OBSERVE("copy_file_range", copy_file_range(from, NULL, to, NULL, 6, 0), "target");
    OBSERVE("sendfile", sendfile(to, from, NULL, 4), "target");
    int ends[2];
    must(pipe(ends) == 0, "pipe");
    line("splice from", "%ld", (long)splice(from, NULL, ends[1], NULL, 3, 0));
    OBSERVE("splice to", splice(ends[0], NULL, to, NULL, 3, 0), "target");
    const struct iovec two[2] = {{"<", 1}, {">", 1}};
    OBSERVE("pwritev2 that appends", pwritev2(to, two, 2, 0, RWF_APPEND), "target");
    OBSERVE("pwritev in the middle", pwritev(to, two, 2, 4), "target");
    OBSERVE("punch a hole", fallocate(to, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, 0, 2), "target");
    OBSERVE("seek to data", lseek(to, 0, SEEK_DATA), "target");
    char* mapped = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, to, 0);
    must(mapped != MAP_FAILED, "mmap");
    mapped[0] = 'M';
    OBSERVE("msync", msync(mapped, 4096, MS_SYNC), "target");
    line("map it to run", "%s",
         mmap(NULL, 4096, PROT_READ | PROT_EXEC, MAP_PRIVATE, to, 0) == MAP_FAILED ? strerrorname_np(errno)
                                                                                   : "ok");
    OBSERVE("fdatasync", fdatasync(to), "target");
    OBSERVE("sync_file_range", sync_file_range(to, 0, 0, SYNC_FILE_RANGE_WRITE), "target");
    OBSERVE("syncfs", syncfs(to), "target");
    line("posix_fadvise", "%d", posix_fadvise(to, 0, 0, POSIX_FADV_WILLNEED));
    OBSERVE("set flags", fcntl(to, F_SETFL, O_APPEND | O_NONBLOCK), "target");
    line("flags set later", "%#o", (unsigned)fcntl(to, F_GETFL));
    OBSERVE("write after that", write(to, "end", 3), "target");
    const int copy = dup(to);
    must(lseek(to, 2, SEEK_SET) == 2, "lseek");
    line("dup shares the offset", "%ld", (long)lseek(copy, 0, SEEK_CUR));
    struct stat s;
    must(fstat(to, &s) == 0, "fstat");
    line("blocks and their size", "%s %ld", s.st_blocks > 0 ? "some" : "none", (long)s.st_blksize);
    line("owner of its signals", "%d", fcntl(to, F_GETOWN));
    line("seals", "%s", outcome(fcntl(to, F_GET_SEALS)));
    line("size of its pipe", "%s", outcome(fcntl(to, F_GETPIPE_SZ)));
}

static void direct(void) {
    char* block = aligned_alloc(4096, 4096);
    must(block != NULL, "memory");
    memset(block, 'b', 4096);
    const int fd = open("direct", O_RDWR | O_CREAT | O_DIRECT, 0644);
    line("O_DIRECT", "%s", opened(fd));
    OBSERVE("an aligned write", write(fd, block, 4096), "direct");
    OBSERVE("a write that is not aligned", write(fd, block + 1, 10), "direct");
    free(block);
}

static void listing(void) {
    put_directory("list", 0755);
    DIR* directory = opendir("list");
    must(directory != NULL, "opendir");
    put("list/b", "", 0644);
    put_directory("list/a", 0755);
    put_link("x", "list/c");
    line("names that were made since it was opened", "%s", listed(directory));
    must(rename("list/b", "list/d") == 0 && unlink("list/c") == 0, "change");
    line("names that were changed", "%s", listed(directory));
    must(renameat(dirfd(directory), "d", dirfd(directory), "e") == 0, "renameat");
    line("names that were changed by it", "%s", listed(directory));
    closedir(directory);
}

static void told(void) {
    put_directory("watched", 0755);
    const int watcher = inotify_init1(IN_NONBLOCK | IN_CLOEXEC);
    line("a watch", "%s", outcome(inotify_add_watch(watcher, "watched", IN_ALL_EVENTS)));
    close(creat("watched/file", 0644));
    must(chmod("watched/file", 0600) == 0 && rename("watched/file", "watched/moved") == 0 &&
             mkdir("watched/dir", 0755) == 0 && symlink("x", "watched/link") == 0 &&
             link("watched/moved", "watched/hard") == 0 && truncate("watched/moved", 5) == 0 &&
             utimensat(AT_FDCWD, "watched/moved", NULL, 0) == 0 && unlink("watched/hard") == 0 &&
             rmdir("watched/dir") == 0,
         "changes");
    char buffer[8192] __attribute__((aligned(8)));
    const ssize_t got = read(watcher, buffer, sizeof buffer);
    int number = 0;
    for (char* at = buffer; at < buffer + got;) {
        const struct inotify_event* event = (const struct inotify_event*)at;
        char name[40];
        snprintf(name, sizeof name, "event %02d", number++);
        line(name, "%#x %s", event->mask, event->len > 0 ? event->name : "");
        at += sizeof *event + event->len;
    }
    line("events", "%d", number);
    line("a watch of files by fanotify", "%s", outcome(syscall(SYS_fanotify_init, 0, 0)));
}

void contents(void) {
    moving_bytes();
    direct();
    listing();
    told();
}
