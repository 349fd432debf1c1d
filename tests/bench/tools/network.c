// A client and a server of HTTP/1.1 whose own costs are small, for what stands between them. Arguments:
//   serve ADDRESS PORT...                            GET /N is answered with N bytes, POST with the number of its own
//   get|put|small|fresh|hold HOST PORT NUMBER [WAY]  WAY: "get:PORT" or "connect:PORT", a proxy on this machine
//     (which is told what PROXY_AUTHORIZATION of the environment says)
// get, put: seconds for so many bytes. small, fresh: the median of so many requests in microseconds, on one connection or
// each on one of its own. hold: so many connections, each of which was answered once; "held", then until its input ends.
#include <errno.h>
#include <netdb.h>
#include <netinet/tcp.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/sendfile.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { kHead = 16 * 1024, kBlock = 256 * 1024, kSmall = 100, kBody = 4 * 1024 * 1024 };

static double now_us(void) {
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (double)time.tv_sec * 1e6 + (double)time.tv_nsec / 1e3;
}

static _Noreturn void fail(const char* what) {
    perror(what);
    exit(1);
}

static void send_all(int fd, const char* bytes, size_t size) {
    while (size > 0) {
        const ssize_t sent = send(fd, bytes, size, MSG_NOSIGNAL);
        if (sent <= 0) fail("send");
        bytes += sent;
        size -= (size_t)sent;
    }
}

static void at_once(int fd) {
    const int yes = 1;
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof yes);
}

// A head, and what came with it.
struct head {
    char text[kHead + 1];
    size_t size, end;  // end: behind the empty line
};

// 0: there is none any more.
static int read_head(int fd, struct head* head) {
    for (head->size = 0; head->size < kHead;) {
        const ssize_t got = recv(fd, head->text + head->size, kHead - head->size, 0);
        if (got <= 0) return 0;
        head->size += (size_t)got;
        head->text[head->size] = 0;
        const char* end = strstr(head->text, "\r\n\r\n");
        if (end == NULL) continue;
        head->end = (size_t)(end - head->text) + 4;
        return 1;
    }
    return 0;
}

static unsigned long long body_of(const struct head* head) {
    const char* length = strcasestr(head->text, "\r\nContent-Length:");
    return length == NULL ? 0 : strtoull(length + 17, NULL, 10);
}

// --- the server

static int body;  // kBody bytes

static int serve_get(int fd, unsigned long long count) {
    char answer[256 + kSmall] = "";
    int size = snprintf(answer, 256, "HTTP/1.1 200 OK\r\nContent-Length: %llu\r\n\r\n", count);
    if (count <= kSmall) {
        size += (int)count;
        count = 0;
    }
    if (send(fd, answer, (size_t)size, MSG_NOSIGNAL | (count > 0 ? MSG_MORE : 0)) != size) return 0;
    while (count > 0) {
        off_t from = 0;
        const ssize_t sent = sendfile(fd, body, &from, count < kBody ? (size_t)count : kBody);
        if (sent <= 0) return 0;
        count -= (unsigned long long)sent;
    }
    return 1;
}

static int serve_post(int fd, const struct head* head) {
    const unsigned long long all = body_of(head);
    for (unsigned long long got = head->size - head->end; got < all;) {
        // MSG_TRUNC: thrown away by the kernel (tcp(7)).
        const ssize_t more = recv(fd, NULL, all - got < kBody ? (size_t)(all - got) : kBody, MSG_TRUNC);
        if (more <= 0) return 0;
        got += (unsigned long long)more;
    }
    char text[32];
    char answer[128];
    const int digits = snprintf(text, sizeof text, "%llu", all);
    const int size =
        snprintf(answer, sizeof answer, "HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s", digits, text);
    return send(fd, answer, (size_t)size, MSG_NOSIGNAL) == size;
}

// A descriptor as a thread's argument.
static void* boxed(int fd) {
    int* box = malloc(sizeof *box);
    if (box == NULL) fail("malloc");
    *box = fd;
    return box;
}

static int unboxed(void* box) {
    const int fd = *(int*)box;
    free(box);
    return fd;
}

static void* serve_one(void* argument) {
    const int fd = unboxed(argument);
    struct head head;
    at_once(fd);
    while (read_head(fd, &head))
        if (!(strncmp(head.text, "GET /", 5) == 0 ? serve_get(fd, strtoull(head.text + 5, NULL, 10))
                                                  : serve_post(fd, &head)))
            break;
    close(fd);
    return NULL;
}

static void* accept_all(void* argument) {
    const int listener = unboxed(argument);
    pthread_attr_t small;
    pthread_attr_init(&small);
    pthread_attr_setstacksize(&small, 128 * 1024);
    for (;;) {
        pthread_t thread;
        const int fd = accept(listener, NULL, NULL);
        if (fd < 0) fail("accept");
        if (pthread_create(&thread, &small, serve_one, boxed(fd)) != 0) fail("pthread_create");
        pthread_detach(thread);
    }
}

static int listen_on(const char* address, const char* port) {
    const struct addrinfo hints = {.ai_family = AF_INET, .ai_socktype = SOCK_STREAM};
    struct addrinfo* found;
    if (getaddrinfo(address, port, &hints, &found) != 0) fail(address);
    const int fd = socket(AF_INET, SOCK_STREAM, 0);
    const int yes = 1;
    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes);
    if (bind(fd, found->ai_addr, found->ai_addrlen) != 0 || listen(fd, 4096) != 0) fail("listen");
    freeaddrinfo(found);
    return fd;
}

static int serve(int count, char** arguments) {
    body = memfd_create("body", 0);
    if (ftruncate(body, kBody) != 0 ||
        mmap(NULL, kBody, PROT_READ, MAP_SHARED | MAP_POPULATE, body, 0) == MAP_FAILED)
        fail("memfd");
    for (int i = 1; i < count; ++i) {
        pthread_t thread;
        const int fd = listen_on(arguments[0], arguments[i]);
        if (pthread_create(&thread, NULL, accept_all, boxed(fd)) != 0) fail("pthread_create");
    }
    puts("ready");
    fflush(stdout);
    pause();
    return 0;
}

// --- the client

static const char *host, *port;
static enum { kPlain, kGet, kConnect } way;
static struct sockaddr_storage where;
static socklen_t where_size;

static void look_up(const char* name, const char* at) {
    const struct addrinfo hints = {.ai_family = AF_INET, .ai_socktype = SOCK_STREAM};
    struct addrinfo* found;
    const int failed = getaddrinfo(name, at, &hints, &found);
    if (failed != 0) {
        fprintf(stderr, "%s: %s\n", name, gai_strerror(failed));
        exit(1);
    }
    memcpy(&where, found->ai_addr, found->ai_addrlen);
    where_size = found->ai_addrlen;
    freeaddrinfo(found);
}

static int open_one(void) {
    const int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0 || connect(fd, (const struct sockaddr*)&where, where_size) != 0) fail("connect");
    at_once(fd);
    if (way == kConnect) {
        char request[2048];
        struct head head;
        const char* credentials = getenv("PROXY_AUTHORIZATION");
        const int size =
            snprintf(request, sizeof request, "CONNECT %s:%s HTTP/1.1\r\nHost: %s:%s\r\n%s%s%s\r\n", host,
                     port, host, port, credentials ? "Proxy-Authorization: Basic " : "",
                     credentials ? credentials : "", credentials ? "\r\n" : "");
        send_all(fd, request, (size_t)size);
        if (!read_head(fd, &head) || strncmp(head.text + 8, " 200", 4) != 0) fail("CONNECT");
    }
    return fd;
}

static void send_head(int fd, const char* method, unsigned long long path, unsigned long long length) {
    char request[1024], base[512] = "";
    if (way == kGet) snprintf(base, sizeof base, "http://%s:%s", host, port);
    int size = snprintf(request, sizeof request, "%s %s/%llu HTTP/1.1\r\nHost: %s:%s\r\n", method, base, path,
                        host, port);
    if (length > 0)
        size += snprintf(request + size, sizeof request - (size_t)size, "Content-Length: %llu\r\n", length);
    size += snprintf(request + size, sizeof request - (size_t)size, "\r\n");
    send_all(fd, request, (size_t)size);
}

// Bytes of its body.
static unsigned long long read_answer(int fd) {
    static char buffer[kBlock];
    struct head head;
    if (!read_head(fd, &head)) fail("no answer");
    if (strncmp(head.text + 8, " 200", 4) != 0) {
        fprintf(stderr, "%.100s\n", head.text);
        exit(1);
    }
    const unsigned long long all = body_of(&head);
    for (unsigned long long got = head.size - head.end; got < all;) {
        const ssize_t more = recv(fd, buffer, sizeof buffer, 0);
        if (more <= 0) fail("an answer that ends early");
        got += (unsigned long long)more;
    }
    return all;
}

static void get(unsigned long long bytes) {
    const int fd = open_one();
    const double began = now_us();
    send_head(fd, "GET", bytes, 0);
    if (read_answer(fd) != bytes) fail("another number of bytes");
    printf("%.6f\n", (now_us() - began) / 1e6);
}

static void put(unsigned long long bytes) {
    static char block[kBlock];
    const int fd = open_one();
    const double began = now_us();
    send_head(fd, "POST", 0, bytes);
    for (unsigned long long left = bytes; left > 0;) {
        const size_t some = left < sizeof block ? (size_t)left : sizeof block;
        send_all(fd, block, some);
        left -= some;
    }
    read_answer(fd);
    printf("%.6f\n", (now_us() - began) / 1e6);
}

static int compare(const void* a, const void* b) {
    const double x = *(const double*)a, y = *(const double*)b;
    return (x > y) - (x < y);
}

static void requests(unsigned long long number, int each_its_own) {
    double* took = calloc(number, sizeof *took);
    int fd = each_its_own ? -1 : open_one();
    for (unsigned long long i = 0; i < number; ++i) {
        const double began = now_us();
        if (each_its_own) fd = open_one();
        send_head(fd, "GET", kSmall, 0);
        read_answer(fd);
        took[i] = now_us() - began;
        if (each_its_own) close(fd);
    }
    qsort(took, number, sizeof *took, compare);
    printf("%.3f\n", took[number / 2]);
    free(took);
}

static void hold(unsigned long long number) {
    struct rlimit files;
    getrlimit(RLIMIT_NOFILE, &files);
    files.rlim_cur = files.rlim_max;
    setrlimit(RLIMIT_NOFILE, &files);
    for (unsigned long long i = 0; i < number; ++i) {
        const int fd = open_one();
        send_head(fd, "GET", kSmall, 0);
        read_answer(fd);
    }
    puts("held");
    fflush(stdout);
    char byte;
    while (read(STDIN_FILENO, &byte, 1) > 0) continue;
}

int main(int argc, char** argv) {
    signal(SIGPIPE, SIG_IGN);
    if (argc >= 4 && strcmp(argv[1], "serve") == 0) return serve(argc - 2, argv + 2);
    if (argc < 5) return 2;
    host = argv[2];
    port = argv[3];
    if (argc > 5) {
        way = strncmp(argv[5], "get:", 4) == 0 ? kGet : kConnect;
        look_up("127.0.0.1", strchr(argv[5], ':') + 1);
    } else {
        look_up(host, port);
    }
    const unsigned long long number = strtoull(argv[4], NULL, 10);
    const char* what = argv[1];
    if (strcmp(what, "get") == 0)
        get(number);
    else if (strcmp(what, "put") == 0)
        put(number);
    else if (strcmp(what, "small") == 0)
        requests(number, 0);
    else if (strcmp(what, "fresh") == 0)
        requests(number, 1);
    else if (strcmp(what, "hold") == 0)
        hold(number);
    else
        return 2;
    return 0;
}
