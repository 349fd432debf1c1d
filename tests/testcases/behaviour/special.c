// Devices, terminals, and the caller's own descriptors by /proc and /dev.
#include "tests/testcases/behaviour/observe.h"

#include <pthread.h>
#include <sched.h>
#include <sys/ioctl.h>

static void devices(void) {
    static const char* const kPaths[] = {"/dev/null",    "/dev/zero", "/dev/full",   "/dev/random",
                                         "/dev/urandom", "/dev/tty",  "/dev/missing"};
    static const int kFlags[] = {O_RDONLY,
                                 O_WRONLY,
                                 O_RDWR,
                                 O_WRONLY | O_CREAT | O_TRUNC,
                                 O_WRONLY | O_APPEND | O_CLOEXEC,
                                 O_RDWR | O_CREAT | O_EXCL,
                                 O_RDWR | O_NONBLOCK | O_NOCTTY};
    char name[100], byte = 'x';
    for (unsigned p = 0; p < sizeof kPaths / sizeof *kPaths; ++p)
        for (unsigned f = 0; f < sizeof kFlags / sizeof *kFlags; ++f) {
            const int fd = open(kPaths[p], kFlags[f], 0644);
            snprintf(name, sizeof name, "%s by %#o", kPaths[p], (unsigned)kFlags[f]);
            line(name, "%s", opened(fd));
            if (fd >= 0 && kFlags[f] == O_WRONLY) line(name, "write %s", outcome(write(fd, &byte, 1)));
            if (fd >= 0 && kFlags[f] == O_RDONLY) line(name, "read %ld", (long)read(fd, &byte, 1));
            if (fd >= 0) close(fd);
        }
    line("truncate /dev/null", "%s", outcome(truncate("/dev/null", 0)));
    line("mkdir /dev/null", "%s", outcome(mkdir("/dev/null", 0755)));
    line("unlink /dev/null", "%s", outcome(unlink("/dev/null") == 0 ? 0 : -1));
    put_link("/dev/null", "to-null");
    line("create over a link to /dev/null", "%s",
         opened(open("to-null", O_WRONLY | O_CREAT | O_TRUNC, 0644)));
    const int master = posix_openpt(O_RDWR | O_NOCTTY);
    char slave[64];
    in_turn("a terminal", "%s, unlock %s, its name %s", outcome(master), outcome(unlockpt(master)),
            ptsname_r(master, slave, sizeof slave) == 0 ? "given" : "not given");
    line("its other side", "%s", opened(open(slave, O_RDWR | O_NOCTTY)));
    // In a session (of terminals) of its own, that side is /dev/tty.
    if (fork() == 0) {
        setsid();
        const int fd = open(slave, O_RDWR);
        const int tty = open("/dev/tty", O_RDWR);
        in_turn("/dev/tty of one's own terminal", "%s | %s, write %s", opened(fd), opened(tty),
                outcome(write(tty, "x", 1)));
        const int creating = open("/dev/tty", O_WRONLY | O_CREAT | O_APPEND, 0644);
        line("create at it", "%s", opened(creating));
        _exit(0);
    }
    must(wait(NULL) > 0, "wait");
}

static void own_descriptors(void) {
    put("file", "contents", 0644);
    const int reader = open("file", O_RDONLY), writer = open("file", O_RDWR), path = open("file", O_PATH),
              directory = open(".", O_RDONLY);
    char by[80], name[100];
    static const char* const kForms[] = {"/proc/self/fd/%d", "/dev/fd/%d", "/proc/thread-self/fd/%d"};
    const struct {
        const char* name;
        int fd;
    } kFds[] = {{"a reader", reader},
                {"a writer", writer},
                {"an O_PATH", path},
                {"a directory", directory},
                {"nothing", 99}};
    static const int kFlags[] = {O_RDONLY,
                                 O_WRONLY,
                                 O_RDWR | O_CREAT,
                                 O_WRONLY | O_APPEND,
                                 O_WRONLY | O_NOFOLLOW,
                                 O_WRONLY | O_CREAT | O_EXCL,
                                 O_WRONLY | O_DIRECTORY};
    for (unsigned form = 0; form < sizeof kForms / sizeof *kForms; ++form)
        for (unsigned d = 0; d < sizeof kFds / sizeof *kFds; ++d)
            for (unsigned f = 0; f < sizeof kFlags / sizeof *kFlags; ++f) {
                snprintf(by, sizeof by, kForms[form], kFds[d].fd);
                snprintf(name, sizeof name, "%.*s of %s by %#o", (int)strlen(kForms[form]) - 3, kForms[form],
                         kFds[d].name, (unsigned)kFlags[f]);
                const int fd = open(by, kFlags[f], 0644);
                line(name, "%s", opened(fd));
                if (fd >= 0) close(fd);
            }
    snprintf(by, sizeof by, "/proc/self/fd/%d", reader);
    OBSERVE("truncate by /proc", truncate(by, 3), "file");
    OBSERVE("chmod by /proc", chmod(by, 0600), "file");
    OBSERVE("utimens by /proc", utimensat(AT_FDCWD, by, NULL, 0), "file");
    OBSERVE("open to truncate by /proc", open(by, O_WRONLY | O_TRUNC), "file");
    must(unlink("file") == 0, "unlink");
    line("write by /proc to what is gone", "%s", opened(open(by, O_RDWR)));
    line("create by /proc at what is gone", "%s", opened(open(by, O_RDWR | O_CREAT, 0644)));
    in_turn("truncate what is gone", "%s | %s", outcome(truncate(by, 7)), state_of(reader));
    line("nothing came back", "%s", state("file"));
    int ends[2];
    must(pipe(ends) == 0, "pipe");
    snprintf(by, sizeof by, "/proc/self/fd/%d", ends[1]);
    line("a pipe by /proc", "%s", opened(open(by, O_WRONLY)));
    snprintf(by, sizeof by, "/dev/fd/%d", ends[0]);
    line("a pipe's reader by /dev/fd", "%s", opened(open(by, O_RDONLY | O_NONBLOCK)));
    line("unlink in /proc", "%s", outcome(unlink(by)));
    line("create in /proc/self/fd", "%s", outcome(open("/proc/self/fd/new", O_WRONLY | O_CREAT, 0644)));
    line("mkdir in /proc/self", "%s", outcome(mkdir("/proc/self/new", 0755)));
}

static void streams(void) {
    put_directory("streams", 0755);
    const int out = open("streams/out", O_RDWR | O_CREAT, 0644);
    must(write(out, "before", 6) == 6 && dup2(out, 3) == 3, "dup2");
    if (fork() == 0) {
        dup2(out, STDOUT_FILENO);
        // As shells do for ">> /dev/stdout" and "> /dev/stdout".
        const int append = open("/dev/stdout", O_WRONLY | O_CREAT | O_APPEND, 0666);
        _exit(append >= 0 && write(append, "+", 1) == 1 ? 0 : 1);
    }
    must(wait(NULL) > 0, "wait");
    line("append to /dev/stdout", "%s", state("streams/out"));
    if (fork() == 0) {
        dup2(out, STDOUT_FILENO);
        const int again = open("/dev/stdout", O_WRONLY | O_CREAT | O_TRUNC, 0666);
        _exit(again >= 0 && write(again, "new", 3) == 3 ? 0 : 1);
    }
    must(wait(NULL) > 0, "wait");
    line("write to /dev/stdout anew", "%s", state("streams/out"));
    // A pipe of one's own, and a file for reading.
    int ends[2];
    must(pipe(ends) == 0 && dup2(ends[1], STDERR_FILENO) >= 0 && dup2(out, STDIN_FILENO) >= 0, "dup2");
    line("/dev/stderr", "%s", opened(open("/dev/stderr", O_WRONLY | O_APPEND)));
    line("/dev/stdin", "%s", opened(open("/dev/stdin", O_RDONLY)));
}

static void* in_own_table(void* unused) {
    const int apart = unshare(CLONE_FILES);
    line("unshare(CLONE_FILES)", "%s", outcome(apart));
    if (apart != 0) return unused;
    put("own-table", "own", 0644);
    const int fd = open("own-table", O_RDONLY);
    must(dup2(fd, 77) == 77, "dup2");
    line("by thread-self, where the table is one's own", "%s",
         opened(open("/proc/thread-self/fd/77", O_WRONLY)));
    line("by self, which is the leader's", "%s", opened(open("/proc/self/fd/77", O_WRONLY)));
    line("create", "%s", opened(open("own-made", O_WRONLY | O_CREAT, 0644)));
    return unused;
}

static void own_files_of_proc(void) {
    static const char* const kPaths[] = {
        "/proc/self/comm",        "/proc/self/oom_score_adj",   "/proc/self/mem",
        "/proc/thread-self/comm", "/proc/self/coredump_filter", "/proc/self/clear_refs",
        "/proc/self/status",      "/proc/self/attr/current",    "/proc/self/timerslack_ns"};
    char name[100];
    for (unsigned i = 0; i < sizeof kPaths / sizeof *kPaths; ++i) {
        snprintf(name, sizeof name, "%s, to write", kPaths[i]);
        line(name, "%s", outcome(open(kPaths[i], O_WRONLY)));
        snprintf(name, sizeof name, "%s, to create", kPaths[i]);
        line(name, "%s", outcome(open(kPaths[i], O_WRONLY | O_CREAT | O_TRUNC, 0644)));
    }
    const int comm = open("/proc/thread-self/comm", O_RDWR);
    char text[20] = "";
    line("rename oneself", "%s", outcome(write(comm, "by-itself", 9)));
    const int again = open("/proc/self/comm", O_RDONLY);
    must(read(again, text, sizeof text - 1) > 0, "read");
    line("and be called that", "%s", text);
    char path[80];
    snprintf(path, sizeof path, "/proc/%ld/oom_score_adj", (long)getppid());
    line("that of the parent, to write", "%s", outcome(open(path, O_WRONLY)));
}

static void shared_memory(void) {
    char path[100];
    snprintf(path, sizeof path, "/dev/shm/reeve-behaviour-%ld", (long)getuid());
    unlink(path);
    const int fd = open(path, O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
    in_turn("in /dev/shm", "%s | %s", opened(fd), state_of(fd));
    line("size it", "%s", outcome(ftruncate(fd, 4096)));
    line("unlink it", "%s", outcome(unlink(path)));
    snprintf(path, sizeof path, "/tmp/reeve-behaviour-%ld", (long)getuid());
    rmdir(path);
    in_turn("in /tmp", "%s | %s", outcome(mkdir(path, 0700)), state(path));
    line("and gone", "%s", outcome(rmdir(path)));
}

void special(void) {
    devices();
    own_descriptors();
    in_child(streams);
    pthread_t thread;
    must(pthread_create(&thread, NULL, in_own_table, NULL) == 0 && pthread_join(thread, NULL) == 0, "thread");
    in_child(own_files_of_proc);
    shared_memory();
}
