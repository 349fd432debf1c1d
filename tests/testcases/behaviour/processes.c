// What belongs to a caller and not to a path: working directory, umask, descriptors, threads, and how programs start.
#include "tests/testcases/behaviour/observe.h"

#include <pthread.h>
#include <sched.h>
#include <sys/mman.h>
#include <sys/prctl.h>

static int creating(const char* path) {
    const int fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0666);
    if (fd >= 0) close(fd);
    return fd < 0 ? -1 : 0;
}

static void run_thread(void* (*work)(void*)) {
    pthread_t thread;
    must(pthread_create(&thread, NULL, work, NULL) == 0 && pthread_join(thread, NULL) == 0, "thread");
}

// --- umask

static void* create_by_thread(void* unused) {
    creating("by-thread");
    umask(027);
    return unused;
}

static void child_of_other_umask(void) {
    umask(077);
    creating("by-child");
}

static void masks(void) {
    umask(002);
    run_thread(create_by_thread);
    creating("after-thread");
    line("a thread shares its umask", "%s | %s", state("by-thread"), state("after-thread"));
    umask(022);
    in_child(child_of_other_umask);
    creating("by-parent");
    line("a child has its own", "%s | %s", state("by-child"), state("by-parent"));
}

// --- working directories

static void* alone(void* unused) {
    const int apart = unshare(CLONE_FS);
    line("unshare(CLONE_FS)", "%s", outcome(apart));
    if (apart != 0) return unused;
    must(chdir("apart") == 0, "chdir");
    umask(077);
    creating("by-lone-thread");
    mkdir("dir-by-lone-thread", 0777);
    return unused;
}

static void* move_all(void* unused) {
    must(chdir("shared") == 0, "chdir");
    return unused;
}

static void child_in_sub(void) {
    must(chdir("sub") == 0, "chdir");
    creating("by-child");
    must(symlink("by-child", "link-by-child") == 0 && rename("by-child", "../from-child") == 0, "rename");
}

static void in_removed(void) {
    must(mkdir("removed", 0755) == 0 && chdir("removed") == 0 && rmdir("../removed") == 0, "removed");
    in_turn("in a removed directory", "create %s, mkdir %s, symlink %s, rename out %s, link in %s",
            outcome(creating("x")), outcome(mkdir("x", 0755)), outcome(symlink("x", "y")),
            outcome(rename("x", "../x")), outcome(link("../from-child", "x")));
    in_turn("its dots", "create in .. %s, chmod . %s, create in . %s", outcome(creating("../by-removed")),
            outcome(chmod(".", 0700)), outcome(creating("./x")));
    char where[PATH_MAX];
    line("getcwd there", "%s", getcwd(where, sizeof where) == NULL ? strerrorname_np(errno) : where);
}

static int chdir_sharing(void* unused) {
    (void)unused;
    return chdir("shared") == 0 ? 0 : 1;
}

static void shared_by_processes(void) {
    static char stack[65536] __attribute__((aligned(16)));
    const pid_t child = clone(chdir_sharing, stack + sizeof stack, CLONE_FS | SIGCHLD, NULL);
    line("a process that shares its working directory", "%s", outcome(child < 0 ? -1 : 0));
    if (child > 0) must(waitpid(child, NULL, 0) == child, "waitpid");
    creating("after-sharing");
    line("where that is", "%s %s", state("after-sharing"),
         state(child > 0 ? "../shared/after-sharing" : "after-sharing"));
}

static int open_sharing(void* number) {
    *(int*)number = open("opened-by-other", O_RDWR | O_CREAT, 0644);
    return 0;
}

static void shared_descriptors(void) {
    static char stack[65536] __attribute__((aligned(16)));
    int* number = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    must(number != MAP_FAILED, "mmap");
    *number = -1;
    const pid_t child = clone(open_sharing, stack + sizeof stack, CLONE_FILES | SIGCHLD, number);
    line("a process that shares descriptors", "%s", outcome(child < 0 ? -1 : 0));
    if (child > 0) must(waitpid(child, NULL, 0) == child, "waitpid");
    line("what it opened", "%s", *number < 0 ? "nothing" : state_of(*number));
}

static void* after_its_leader(void* leader) {
    pthread_join(*(pthread_t*)leader, NULL);
    in_turn("a thread whose leader has ended", "create %s, by /proc/self/fd %s, mkdir %s",
            outcome(creating("leaderless")), outcome(creating("/proc/thread-self/cwd/leaderless2")),
            outcome(mkdir("leaderless-dir", 0755)));
    line("what it made", "%s | %s | %s", state("leaderless"), state("leaderless2"), state("leaderless-dir"));
    _exit(0);
}

static void end_leader(void) {
    static pthread_t leader;
    leader = pthread_self();
    pthread_t thread;
    must(pthread_create(&thread, NULL, after_its_leader, &leader) == 0, "thread");
    pthread_exit(NULL);
}

static void directories(void) {
    put_directory("apart", 0755);
    put_directory("shared", 0755);
    put_directory("sub", 0755);
    run_thread(alone);
    creating("by-others");
    line("a thread of its own directory and umask", "%s | %s | %s", state("apart/by-lone-thread"),
         state("apart/dir-by-lone-thread"), state("by-others"));
    in_child(child_in_sub);
    line("a child in another directory", "%s %s", state("from-child"), state("sub/link-by-child"));
    run_thread(move_all);
    creating("after-move");
    line("a thread moves all", "%s", state("../shared/after-move"));
    must(fchdir(open(here, O_RDONLY)) == 0, "fchdir");
    in_child(in_removed);
    line("what .. of a removed one made", "%s", state("by-removed"));
    in_child(shared_by_processes);
    in_child(shared_descriptors);
    in_child(end_leader);
}

// --- children by vfork

static void children(void) {
    static int of_child;
    pid_t child = vfork();
    if (child == 0) {
        of_child = creating("by-vfork");
        if (of_child == 0) of_child = rename("by-vfork", "by-vfork2");
        if (of_child == 0) of_child = mkdir("dir-by-vfork", 0755);
        _exit(0);
    }
    must(waitpid(child, NULL, 0) == child, "waitpid");
    in_turn("a child by vfork", "%s | %s | %s", outcome(of_child), state("by-vfork2"), state("dir-by-vfork"));
    child = vfork();
    if (child == 0) {
        const int fd = open("out-of-vfork", O_WRONLY | O_CREAT | O_TRUNC, 0644);
        dup2(fd, STDOUT_FILENO);
        execl("/bin/sh", "sh", "-c", "echo said; : > made-by-sh; mkdir made-by-mkdir", NULL);
        _exit(127);
    }
    must(waitpid(child, NULL, 0) == child, "waitpid");
    line("a program by vfork and exec", "%s | %s | %s", state("out-of-vfork"), state("made-by-sh"),
         state("made-by-mkdir"));
}

static void exec_with(const char* name, int flags) {
    char script[200];
    const int fd = open("inherited", O_RDWR | O_CREAT | flags, 0644);
    snprintf(script, sizeof script, "test -e /proc/self/fd/%d && echo yes || echo no", fd);
    int pipe_fds[2];
    must(pipe2(pipe_fds, O_CLOEXEC) == 0, "pipe2");
    const pid_t child = fork();
    if (child == 0) {
        dup2(pipe_fds[1], STDOUT_FILENO);
        execl("/bin/sh", "sh", "-c", script, NULL);
        _exit(127);
    }
    close(pipe_fds[1]);
    char answer[10] = "";
    must(read(pipe_fds[0], answer, sizeof answer - 1) > 0 && waitpid(child, NULL, 0) == child, "child");
    answer[strcspn(answer, "\n")] = '\0';
    line(name, "%s", answer);
    close(pipe_fds[0]);
    close(fd);
}

static void* create_undumpable(void* unused) {
    in_turn("a thread of one that cannot be dumped", "%s", outcome(creating("undumpable-thread")));
    return unused;
}

static void undumpable(void) {
    must(prctl(PR_SET_DUMPABLE, 0) == 0, "prctl");
    in_turn("one that cannot be dumped", "create %s, mkdir %s, chmod %s, rename %s",
            outcome(creating("undumpable")), outcome(mkdir("undumpable-dir", 0755)),
            outcome(chmod("undumpable", 0600)), outcome(rename("undumpable", "undumped")));
    run_thread(create_undumpable);
}

// --- programs

static void copy_program(const char* to) {
    char bytes[65536];
    const int from = open("/bin/true", O_RDONLY), fd = open(to, O_WRONLY | O_CREAT | O_TRUNC, 0755);
    for (ssize_t got; (got = read(from, bytes, sizeof bytes)) > 0;)
        must(write(fd, bytes, (size_t)got) == got, "write");
    close(from);
    close(fd);
}

static const char* run(const char* path) {
    int error_pipe[2];
    must(pipe2(error_pipe, O_CLOEXEC) == 0, "pipe2");
    const pid_t child = fork();
    if (child == 0) {
        execl(path, path, NULL);
        const int error = errno;
        _exit(write(error_pipe[1], &error, sizeof error) == sizeof error ? 126 : 127);
    }
    close(error_pipe[1]);
    int error = 0, status;
    const ssize_t got = read(error_pipe[0], &error, sizeof error);
    close(error_pipe[0]);
    must(waitpid(child, &status, 0) == child, "waitpid");
    return got == 0 ? (status == 0 ? "ran" : "failed") : strerrorname_np(error);
}

static void programs(void) {
    copy_program("program");
    line("written, closed and run", "%s", run("./program"));
    const int writer = open("program", O_WRONLY);
    line("run while open for writing", "%s", run("./program"));
    close(writer);
    line("run when closed again", "%s", run("./program"));
    const int reader = open("program", O_RDONLY);
    line("run while open for reading", "%s", run("./program"));
    close(reader);
    put("script", "#!/bin/sh\nexit 0\n", 0755);
    line("a script, run", "%s", run("./script"));
    must(chmod("script", 0644) == 0, "chmod");
    line("a script without the right to run", "%s", run("./script"));
    // A program that waits, to be written to: sleep of the system, copied.
    char bytes[65536];
    const int from = open("/bin/sleep", O_RDONLY), to = open("runs", O_WRONLY | O_CREAT, 0755);
    for (ssize_t got; (got = read(from, bytes, sizeof bytes)) > 0;)
        must(write(to, bytes, (size_t)got) == got, "write");
    close(to);
    int started[2];
    must(pipe2(started, O_CLOEXEC) == 0, "pipe2");
    const pid_t child = fork();
    if (child == 0) {
        execl("./runs", "runs", "600", NULL);
        _exit(127);
    }
    close(started[1]);
    char byte;
    must(read(started[0], &byte, 1) == 0, "the end of the pipe, by exec");
    in_turn("a program that runs", "write %s, read and write %s, truncate %s, creat %s, append %s",
            outcome(open("runs", O_WRONLY)), outcome(open("runs", O_RDWR)), outcome(truncate("runs", 1)),
            outcome(creat("runs", 0755)), outcome(open("runs", O_WRONLY | O_APPEND)));
    in_turn("a program that runs", "read %s, chmod %s, link %s, rename %s, unlink %s",
            outcome(open("runs", O_RDONLY)), outcome(chmod("runs", 0700)), outcome(link("runs", "runs2")),
            outcome(rename("runs2", "runs3")), outcome(unlink("runs")));
    kill(child, SIGKILL);
    must(waitpid(child, NULL, 0) == child, "waitpid");
    line("when it has ended", "write %s", outcome(open("runs3", O_WRONLY)));
}

// --- many at once

enum { kThreads = 32, kEach = 25 };
static pthread_barrier_t all_ready;
static int won_open, won_mkdir, won_link, won_rename, created;

static void* compete(void* number) {
    const int own = (int)(intptr_t)number;
    char name[64];
    pthread_barrier_wait(&all_ready);
    for (int i = 0; i < kEach; ++i) {
        snprintf(name, sizeof name, "many/t%02d-%02d", own, i);
        if (creating(name) == 0) __atomic_add_fetch(&created, 1, __ATOMIC_RELAXED);
        snprintf(name, sizeof name, "race/open-%02d", i);
        const int fd = open(name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644);
        if (fd >= 0) __atomic_add_fetch(&won_open, 1, __ATOMIC_RELAXED);
        if (fd >= 0) close(fd);
        snprintf(name, sizeof name, "race/dir-%02d", i);
        if (mkdir(name, 0755) == 0) __atomic_add_fetch(&won_mkdir, 1, __ATOMIC_RELAXED);
        snprintf(name, sizeof name, "race/link-%02d", i);
        if (link("one", name) == 0) __atomic_add_fetch(&won_link, 1, __ATOMIC_RELAXED);
        snprintf(name, sizeof name, "race/from-%02d", i);
        char to[64];
        snprintf(to, sizeof to, "race/to-%02d-%02d", i, own);
        if (rename(name, to) == 0) __atomic_add_fetch(&won_rename, 1, __ATOMIC_RELAXED);
        const int append = open("appended", O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644);
        must(write(append, "0123456789", 10) == 10, "append");
        close(append);
    }
    return NULL;
}

static void many(void) {
    put_directory("many", 0755);
    put_directory("race", 0755);
    put("one", "", 0644);
    char name[64];
    for (int i = 0; i < kEach; ++i) {
        snprintf(name, sizeof name, "race/from-%02d", i);
        put(name, "", 0644);
    }
    pthread_t threads[kThreads];
    must(pthread_barrier_init(&all_ready, NULL, kThreads) == 0, "barrier");
    for (intptr_t i = 0; i < kThreads; ++i)
        must(pthread_create(&threads[i], NULL, compete, (void*)i) == 0, "thread");
    for (int i = 0; i < kThreads; ++i) pthread_join(threads[i], NULL);
    struct stat s = {0};
    must(stat("appended", &s) == 0, "stat");
    line("32 threads in one directory",
         "created %d; exclusively %d, directories %d, links %d, renames %d; appended %ld", created, won_open,
         won_mkdir, won_link, won_rename, (long)s.st_size);
    must(stat("many", &s) == 0, "stat");
    line("links of the file that all linked", "%s", state("one"));
}

void processes(void) {
    in_child(masks);
    directories();
    children();
    exec_with("a descriptor is inherited", 0);
    exec_with("one with O_CLOEXEC is not", O_CLOEXEC);
    in_child(undumpable);
    programs();
    many();
}
