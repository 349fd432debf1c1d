// Limits of the caller that hold for what it opens and sizes: RLIMIT_NOFILE, RLIMIT_FSIZE.
#include "tests/testcases/behaviour/observe.h"

#include <signal.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/un.h>

static volatile sig_atomic_t too_large;

static void count(int unused) {
    (void)unused;
    ++too_large;
}

static void no_descriptors(void) {
    put("there", "text", 0644);
    const int socket_fd = socket(AF_UNIX, SOCK_STREAM, 0);
    const struct rlimit few = {24, 24};
    must(setrlimit(RLIMIT_NOFILE, &few) == 0, "setrlimit");
    int last = -1;
    for (int fd; (fd = dup(STDOUT_FILENO)) >= 0;) last = fd;
    OBSERVE("create", open("not-made", O_WRONLY | O_CREAT, 0644), "not-made", ".");
    OBSERVE("create exclusively", open("not-made", O_WRONLY | O_CREAT | O_EXCL, 0644), "not-made", ".");
    OBSERVE("truncate by open", open("there", O_WRONLY | O_TRUNC), "there");
    OBSERVE("write", open("there", O_WRONLY), "there");
    OBSERVE("creat", creat("there", 0644), "there");
    OBSERVE("O_PATH", open("there", O_PATH), "there");
    OBSERVE("O_TMPFILE", open(".", O_TMPFILE | O_RDWR, 0644), ".");
    OBSERVE("create where nothing can be", open("no/x", O_WRONLY | O_CREAT, 0644), ".");
    OBSERVE("create by a bad pointer", open((const char*)8, O_WRONLY | O_CREAT, 0644), ".");
    OBSERVE("create by an empty path", open("", O_WRONLY | O_CREAT, 0644), ".");
    OBSERVE("mkdir, which needs none", mkdir("made", 0755), "made");
    OBSERVE("rename, which needs none", rename("made", "renamed"), "renamed");
    OBSERVE("chmod, which needs none", chmod("there", 0600), "there");
    OBSERVE("truncate, which needs none", truncate("there", 1), "there");
    OBSERVE("symlink, which needs none", symlink("there", "sym"), "sym");
    OBSERVE("link, which needs none", link("there", "linked"), "linked");
    struct sockaddr_un address = {.sun_family = AF_UNIX, .sun_path = "bound"};
    OBSERVE("bind, which needs none", bind(socket_fd, (struct sockaddr*)&address, sizeof address), "bound");
    OBSERVE("unlink, which needs none", unlink("linked"), "linked");
    close(last);
    const int fd = open("made-at-last", O_WRONLY | O_CREAT, 0644);
    line("create when one is free again", "%s, that one %s", opened(fd), fd == last ? "yes" : "no");
    OBSERVE("and then no more", open("not-made-2", O_WRONLY | O_CREAT, 0644), "not-made-2");
}

static void no_size(void) {
    struct sigaction action = {.sa_handler = count};
    must(sigaction(SIGXFSZ, &action, NULL) == 0, "sigaction");
    put("small", "text", 0644);
    const int fd = open("small", O_RDWR);
    const struct rlimit little = {100, 100};
    must(setrlimit(RLIMIT_FSIZE, &little) == 0, "setrlimit");
    OBSERVE("truncate within the limit", truncate("small", 90), "small");
    OBSERVE("truncate beyond the limit", truncate("small", 200), "small");
    line("signals so far", "%d", (int)too_large);
    OBSERVE("ftruncate beyond the limit", ftruncate(fd, 200), "small");
    line("signals so far, two", "%d", (int)too_large);
    char text[150];
    memset(text, 't', sizeof text);
    OBSERVE("write over the limit", pwrite(fd, text, sizeof text, 50), "small");
    OBSERVE("write beyond the limit", pwrite(fd, text, sizeof text, 100), "small");
    OBSERVE("fallocate beyond the limit", fallocate(fd, 0, 0, 300), "small");
    line("signals so far, three", "%d", (int)too_large);
    const int made = open("made", O_RDWR | O_CREAT, 0644);
    OBSERVE("write to a new file over the limit", write(made, text, sizeof text), "made");
    OBSERVE("write more to it", write(made, text, sizeof text), "made");
    line("signals in the end", "%d", (int)too_large);
    signal(SIGXFSZ, SIG_IGN);
    OBSERVE("truncate beyond the limit, the signal ignored", truncate("small", 200), "small");
    char target[120];
    memset(target, 'l', sizeof target);
    target[119] = '\0';
    line("a link longer than the limit", "%s", outcome(symlink(target, "long")));
    line("a directory", "%s", outcome(mkdir("dir", 0755)));
}

static void die_of_size(void) {
    put("deadly", "text", 0644);
    const struct rlimit little = {10, 10};
    must(setrlimit(RLIMIT_FSIZE, &little) == 0 && signal(SIGXFSZ, SIG_DFL) != SIG_ERR, "setrlimit");
    line("truncate beyond the limit", "survived with %s", outcome(truncate("deadly", 20)));
}

void limits(void) {
    in_child(no_descriptors);
    clear(".");
    in_child(no_size);
    clear(".");
    const struct rlimit no_core = {0, 0};
    setrlimit(RLIMIT_CORE, &no_core);
    line("dying of the size signal", "%s", in_child(die_of_size) ? "no" : "yes");
    line("what is left", "%s", state("deadly"));
}
