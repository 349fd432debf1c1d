// Opens that wait (FIFOs), what ends the waiting, and that others go on meanwhile.
#include "tests/testcases/behaviour/observe.h"

#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <sys/mman.h>

enum { kDeadline = 30 };  // seconds, for what takes milliseconds

struct shared {
    int result, error, flags, signals, about;
};
static struct shared* shared;

static void on_signal(int unused) {
    (void)unused;
    __atomic_add_fetch(&shared->signals, 1, __ATOMIC_SEQ_CST);
}

static bool overdue(time_t since) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return now.tv_sec - since > kDeadline;
}

static time_t now_seconds(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return now.tv_sec;
}

// Until the process or thread sleeps: it said before that the next thing that it does is the call in question.
static void until_asleep(pid_t pid) {
    const time_t began = now_seconds();
    char path[64], text[600];
    snprintf(path, sizeof path, "/proc/%ld/stat", (long)pid);
    for (int in_a_row = 0; in_a_row < 20;) {
        const int fd = open(path, O_RDONLY | O_CLOEXEC);
        const ssize_t got = read(fd, text, sizeof text - 1);
        close(fd);
        must(got > 0 && !overdue(began), "it does not wait");
        text[got] = '\0';
        in_a_row = strstr(strrchr(text, ')'), ") S") != NULL ? in_a_row + 1 : 0;
        sched_yield();
    }
}

static void until(const int* value, int wanted) {
    const time_t began = now_seconds();
    while (__atomic_load_n(value, __ATOMIC_SEQ_CST) < wanted) {
        must(!overdue(began), "it does not come");
        sched_yield();
    }
}

// A child that opens; returns when it waits in there.
static pid_t start_open(const char* path, int flags, int restart) {
    memset(shared, 0, sizeof *shared);
    shared->result = -2;
    const pid_t child = fork();
    must(child >= 0, "fork");
    if (child == 0) {
        struct sigaction action = {.sa_handler = on_signal, .sa_flags = restart};
        sigaction(SIGUSR1, &action, NULL);
        __atomic_store_n(&shared->about, 1, __ATOMIC_SEQ_CST);
        const int fd = open(path, flags, 0644);
        shared->error = errno;
        shared->flags = fd < 0 ? 0 : fcntl(fd, F_GETFL);
        __atomic_store_n(&shared->result, fd < 0 ? -1 : 0, __ATOMIC_SEQ_CST);
        char byte;
        if (fd >= 0 && (flags & O_ACCMODE) == O_RDONLY) _exit(read(fd, &byte, 1) < 0);
        _exit(fd >= 0 && write(fd, "w", 1) < 0);
    }
    until(&shared->about, 1);
    until_asleep(child);
    return child;
}

static void finish(const char* name, pid_t child) {
    int status;
    must(waitpid(child, &status, 0) == child, "waitpid");
    errno = shared->error;
    line(name, "%s getfl=%#o, signals %d, %s %d",
         shared->result == -2 ? "never came back" : outcome(shared->result), (unsigned)shared->flags,
         shared->signals, WIFSIGNALED(status) ? "ended by signal" : "exit code",
         WIFSIGNALED(status) ? WTERMSIG(status) : WEXITSTATUS(status));
}

static void at_once(void) {
    line("write without a reader, not waiting", "%s", opened(open("fifo", O_WRONLY | O_NONBLOCK)));
    const int reader = open("fifo", O_RDONLY | O_NONBLOCK);
    line("read without a writer, not waiting", "%s", opened(reader));
    const int writer = open("fifo", O_WRONLY);
    line("write with a reader", "%s", opened(writer));
    const int second = open("fifo", O_WRONLY | O_NONBLOCK | O_APPEND);
    line("write with a reader, not waiting", "%s", opened(second));
    line("create where it is", "%s", opened(open("fifo", O_WRONLY | O_CREAT, 0644)));
    line("create exclusively where it is", "%s", opened(open("fifo", O_WRONLY | O_CREAT | O_EXCL, 0644)));
    const int truncating = open("fifo", O_WRONLY | O_TRUNC | O_CREAT, 0644);
    line("truncate and create where it is", "%s", opened(truncating));
    line("as a directory", "%s", opened(open("fifo", O_RDONLY | O_DIRECTORY | O_NONBLOCK)));
    line("truncate the call", "%s", outcome(truncate("fifo", 0)));
    char text[10] = "";
    in_turn("what goes through", "%s %s '%s'", outcome(write(writer, "go", 2)),
            outcome(read(reader, text, 2)), text);
    const int both = open("fifo", O_RDWR);
    line("read and write", "%s", opened(both));
    const int link = open("to-fifo", O_RDWR | O_NONBLOCK);
    line("over a link", "%s", opened(link));
    line("over a link, not followed", "%s", opened(open("to-fifo", O_RDWR | O_NOFOLLOW)));
    line("O_PATH", "%s", opened(open("fifo", O_PATH)));
    signal(SIGPIPE, SIG_IGN);
    close(reader), close(both), close(link);
    line("write when all readers are gone", "%s", outcome(write(writer, "x", 1)));
    char path[64];
    snprintf(path, sizeof path, "/proc/self/fd/%d", writer);
    line("a reader by /proc", "%s", opened(open(path, O_RDONLY | O_NONBLOCK)));
}

static void waits(void) {
    pid_t child = start_open("fifo", O_RDONLY, 0);
    const int writer = open("fifo", O_WRONLY);
    line("the writer for whom one waited", "%s", opened(writer));
    must(write(writer, "x", 1) == 1, "write");
    finish("a reader that waited", child);
    close(writer);

    child = start_open("fifo", O_WRONLY, 0);
    const int reader = open("fifo", O_RDONLY | O_NONBLOCK);
    line("the reader for whom one waited", "%s", opened(reader));
    finish("a writer that waited", child);
    close(reader);

    child = start_open("fifo", O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0);
    const int second = open("fifo", O_RDONLY);
    finish("a writer that waited with O_CREAT and O_APPEND", child);
    close(second);

    child = start_open("fifo", O_WRONLY, 0);
    kill(child, SIGUSR1);
    finish("a writer that a signal interrupts", child);

    child = start_open("fifo", O_RDONLY, 0);
    kill(child, SIGUSR1);
    finish("a reader that a signal interrupts", child);

    child = start_open("fifo", O_WRONLY, SA_RESTART);
    kill(child, SIGUSR1);
    until(&shared->signals, 1);
    until_asleep(child);
    const int third = open("fifo", O_RDONLY | O_NONBLOCK);
    finish("a writer that goes on after a signal", child);
    close(third);

    child = start_open("fifo", O_WRONLY, 0);
    kill(child, SIGKILL);
    finish("a writer that is killed", child);
    line("nobody writes then", "%s", opened(open("fifo", O_WRONLY | O_NONBLOCK)));

    child = start_open("fifo", O_WRONLY, 0);
    kill(child, SIGSTOP);
    int status;
    must(waitpid(child, &status, WUNTRACED) == child && WIFSTOPPED(status), "it does not stop");
    kill(child, SIGCONT);
    const int fourth = open("fifo", O_RDONLY);
    finish("a writer that was stopped and goes on", child);
    close(fourth);

    child = start_open("fifo", O_WRONLY, 0);
    must(rename("fifo", "moved") == 0 && mkfifo("fifo", 0644) == 0, "rename");
    const int fifth = open("moved", O_RDONLY);
    finish("a writer whose FIFO is renamed meanwhile", child);
    close(fifth);

    child = start_open("fifo", O_WRONLY, 0);
    must(unlink("fifo") == 0, "unlink");
    kill(child, SIGUSR1);
    finish("a writer whose FIFO is gone", child);
    must(rename("moved", "fifo") == 0, "rename");
}

// --- while many wait

enum { kWaiting = 40 };
static int got_in;

static void* wait_for_reader(void* number) {
    char name[32];
    snprintf(name, sizeof name, "fifo-%d", (int)(intptr_t)number);
    const int fd = open(name, O_WRONLY);
    if (fd >= 0) __atomic_add_fetch(&got_in, 1, __ATOMIC_SEQ_CST);
    close(fd);
    return NULL;
}

static void many(void) {
    pthread_t threads[kWaiting];
    char name[32];
    for (intptr_t i = 0; i < kWaiting; ++i) {
        snprintf(name, sizeof name, "fifo-%d", (int)i);
        must(mkfifo(name, 0644) == 0 && pthread_create(&threads[i], NULL, wait_for_reader, (void*)i) == 0,
             name);
    }
    in_turn("while 40 wait", "create %s, mkdir %s, rename %s, unlink %s", outcome(creat("made", 0644)),
            outcome(mkdir("made-dir", 0755)), outcome(rename("made", "renamed")), outcome(unlink("renamed")));
    for (int i = 0; i < kWaiting; ++i) {
        snprintf(name, sizeof name, "fifo-%d", i);
        const int fd = open(name, O_RDONLY);
        must(fd >= 0, name);
        close(fd);
    }
    for (int i = 0; i < kWaiting; ++i) pthread_join(threads[i], NULL);
    line("those that got in", "%d", got_in);
}

void waiting(void) {
    shared = mmap(NULL, sizeof *shared, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    must(shared != MAP_FAILED && mkfifo("fifo", 0644) == 0, "scene");
    put_link("fifo", "to-fifo");
    in_child(at_once);
    waits();
    many();
}
