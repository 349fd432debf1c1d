// connect(), which others look at inside: to servers on the loopback, to none, and what interrupts it.
#include "tests/testcases/behaviour/observe.h"

#include <netinet/in.h>
#include <poll.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/time.h>

static int server = -1;
static volatile sig_atomic_t signals;

static int make(int type) {
    const int fd = socket(AF_INET, type | SOCK_CLOEXEC, 0);
    must(fd >= 0, "socket");
    return fd;
}

static struct sockaddr_in loopback(in_port_t port) {
    return (struct sockaddr_in){
        .sin_family = AF_INET, .sin_port = port, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
}

static struct sockaddr_in serve(int backlog) {
    struct sockaddr_in at = loopback(0);
    socklen_t size = sizeof at;
    server = make(SOCK_STREAM | SOCK_NONBLOCK);
    must(bind(server, (struct sockaddr*)&at, size) == 0 && listen(server, backlog) == 0, "listen");
    must(getsockname(server, (struct sockaddr*)&at, &size) == 0, "getsockname");
    return at;
}

static int to(int fd, const struct sockaddr_in* at) {
    return connect(fd, (const struct sockaddr*)at, sizeof *at);
}

static const char* pending(int fd) {
    struct pollfd one = {fd, POLLOUT, 0};
    int error = 0;
    socklen_t size = sizeof error;
    must(poll(&one, 1, 30000) == 1 && getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &size) == 0, "SO_ERROR");
    errno = error;
    return outcome(error == 0 ? 0 : -1);
}

static void of_one_that_waits(const char* name, const struct sockaddr_in* at) {
    const int fd = make(SOCK_STREAM);
    line(name, "%s", outcome(to(fd, at)));
    line(name, "again %s", outcome(to(fd, at)));
    must(close(fd) == 0, "close");
}

static void of_one_that_does_not(const char* name, const struct sockaddr_in* at) {
    const int fd = make(SOCK_STREAM | SOCK_NONBLOCK);
    line(name, "%s", outcome(to(fd, at)));
    line(name, "then %s", pending(fd));
    line(name, "again %s", outcome(to(fd, at)));
    must(close(fd) == 0, "close");
}

static void what_is_wrong(const struct sockaddr_in* at) {
    const int stream = make(SOCK_STREAM), file = open(".", O_RDONLY | O_CLOEXEC);
    line("no memory", "%s", outcome(connect(stream, (const struct sockaddr*)8, sizeof *at)));
    line("too short", "%s", outcome(connect(stream, (const struct sockaddr*)at, 8)));
    line("shorter than a family", "%s", outcome(connect(stream, (const struct sockaddr*)at, 1)));
    line("no length", "%s", outcome(connect(stream, (const struct sockaddr*)at, 0)));
    line("too long", "%s", outcome(connect(stream, (const struct sockaddr*)at, 4096)));
    line("a length below zero", "%s", outcome(connect(stream, (const struct sockaddr*)at, (socklen_t)-1)));
    const struct sockaddr other = {.sa_family = AF_UNIX};
    line("another family", "%s", outcome(connect(stream, &other, sizeof *at)));
    line("a file", "%s", outcome(to(file, at)));
    line("no descriptor", "%s", outcome(to(-1, at)));
    line("one that listens", "%s", outcome(to(server, at)));
}

static void datagrams(const struct sockaddr_in* at) {
    const int fd = make(SOCK_DGRAM);
    const struct sockaddr none = {.sa_family = AF_UNSPEC};
    struct sockaddr_in peer;
    socklen_t size = sizeof peer;
    line("of datagrams", "%s", outcome(to(fd, at)));
    line("its peer", "%s", outcome(getpeername(fd, (struct sockaddr*)&peer, &size)));
    line("to another one", "%s", outcome(to(fd, at)));
    line("to none again", "%s", outcome(connect(fd, &none, sizeof none)));
    line("its peer then", "%s", outcome(getpeername(fd, (struct sockaddr*)&peer, &size)));
}

static void count(int unused) {
    (void)unused;
    signals = signals + 1;
}

// Makes room for the one that waits. It gets there by its next packet, a second later.
static void admit(int unused) {
    count(unused);
    (void)!accept(server, NULL, NULL);
}

// Signals come until one has come to a call that waits for a server whose queue is full.
static void interrupted(const char* name, void (*handler)(int), int flags) {
    const struct sockaddr_in at = serve(0);
    must(to(make(SOCK_STREAM), &at) == 0, "fill the queue");
    struct sigaction action = {.sa_handler = handler, .sa_flags = flags};
    struct itimerval often = {{0, 50000}, {0, 50000}}, never = {{0, 0}, {0, 0}};
    must(sigaction(SIGALRM, &action, NULL) == 0 && setitimer(ITIMER_REAL, &often, NULL) == 0, "signals");
    signals = 0;
    const char* const came_of_it = outcome(to(make(SOCK_STREAM), &at));
    must(setitimer(ITIMER_REAL, &never, NULL) == 0, "signals");
    line(name, "%s %s", came_of_it, signals > 0 ? "after signals" : "at once");
}

void connects(void) {
    const struct sockaddr_in at = serve(16), nowhere = loopback(htons(1));
    of_one_that_waits("to a server", &at);
    of_one_that_waits("to none", &nowhere);
    of_one_that_does_not("to a server without waiting", &at);
    of_one_that_does_not("to none without waiting", &nowhere);
    what_is_wrong(&at);
    datagrams(&at);
    interrupted("a signal", count, 0);
    interrupted("signals with SA_RESTART", admit, SA_RESTART);
}
