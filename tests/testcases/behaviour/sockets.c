// Names that bind() makes for AF_UNIX sockets.
#include "tests/testcases/behaviour/observe.h"

#include <stddef.h>
#include <sys/socket.h>
#include <sys/un.h>

static int bound(int fd, const char* path, size_t size) {
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    memcpy(address.sun_path, path, size < sizeof address.sun_path ? size : sizeof address.sun_path);
    return bind(fd, (const struct sockaddr*)&address,
                (socklen_t)(offsetof(struct sockaddr_un, sun_path) + size));
}

static int stream(void) {
    return socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
}

static int bind_new(const char* path) {
    return bound(stream(), path, strlen(path) + 1);
}

void sockets(void) {
    put("file", "text", 0644);
    put_directory("dir", 0755);
    put_directory("sealed", 0555);
    put_link("absent", "dangling");
    put_link("dir", "to-dir");
    OBSERVE("relative", bind_new("relative"), "relative", ".");
    OBSERVE("where one is", bind_new("relative"), "relative", ".");
    static const char* const kPaths[] = {"file",     "dir",       "dir/",   "dir/in",   "to-dir/over",
                                         "dangling", "no/x",      "file/x", "sealed/x", "new/",
                                         "./dotted", "dir/../up", ".",      "/"};
    char name[300];
    for (unsigned i = 0; i < sizeof kPaths / sizeof *kPaths; ++i) {
        snprintf(name, sizeof name, "bind at '%s'", kPaths[i]);
        OBSERVE(name, bind_new(kPaths[i]), kPaths[i], "absent");
    }
    umask(077);
    OBSERVE("under umask 077", bind_new("masked"), "masked");
    umask(0);
    OBSERVE("under umask 0", bind_new("open"), "open");
    umask(022);
    int fd = stream();
    OBSERVE("a first name", bound(fd, "first", 6), "first");
    OBSERVE("a second name", bound(fd, "second", 7), "second");
    line("listen", "%s", outcome(listen(fd, 1)));
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    socklen_t size = sizeof address;
    must(getsockname(fd, (struct sockaddr*)&address, &size) == 0, "getsockname");
    line("its name, as it was given", "%u '%s'", (unsigned)size, address.sun_path);
    const int client = stream();
    line("connect", "%s", outcome(connect(client, (struct sockaddr*)&address, size)));
    const int server = accept(fd, NULL, NULL);
    line("accept", "%s", outcome(server < 0 ? -1 : 0));
    size = sizeof address;
    memset(&address, 0, sizeof address);
    must(getpeername(client, (struct sockaddr*)&address, &size) == 0, "getpeername");
    line("its name, as the client sees it", "%u '%s'", (unsigned)size, address.sun_path);
    must(rename("first", "renamed") == 0, "rename");
    memcpy(address.sun_path, "renamed", 8);
    line("connect to its new name", "%s",
         outcome(connect(stream(), (struct sockaddr*)&address, sizeof address)));
    must(unlink("renamed") == 0, "unlink");
    line("connect to what is gone", "%s",
         outcome(connect(stream(), (struct sockaddr*)&address, sizeof address)));
    // Sizes: no terminating zero, all 108 bytes, more than those.
    OBSERVE("without a zero at its end", bound(stream(), "unended", 7), "unended");
    char deep[200];
    memset(deep, 'd', sizeof deep);
    OBSERVE("108 bytes", bound(stream(), deep, 108), ".");
    fd = stream();
    line("109 bytes", "%s", outcome(bound(fd, deep, 109)));
    line("no bytes", "%s", outcome(bound(stream(), "", 0)));
    struct stat s;
    deep[108] = '\0';
    line("the name of 108 bytes", "%s", outcome(stat(deep, &s)));
    OBSERVE("a zero within", bound(stream(), "with\0in", 7), "with");
    line("abstract", "%s", outcome(bound(stream(), "\0reeve-behaviour", 16)));
    line("a bad address", "%s", outcome(bind(stream(), (const struct sockaddr*)8, 20)));
    line("a file's descriptor", "%s", outcome(bound(open("file", O_RDONLY), "never", 6)));
    line("no descriptor", "%s", outcome(bound(-1, "never", 6)));
    OBSERVE("SOCK_SEQPACKET", bound(socket(AF_UNIX, SOCK_SEQPACKET, 0), "packets", 8), "packets");
    must(chdir("dir") == 0, "chdir");
    OBSERVE("relative to another directory", bind_new("there"), "there");
    OBSERVE("above it", bind_new("../above"), "../above");
    const int inet = socket(AF_INET, SOCK_STREAM, 0);
    struct sockaddr any = {.sa_family = AF_INET};
    line("of the internet", "%s", outcome(bind(inet, &any, sizeof any)));
    any.sa_family = AF_UNIX;
    line("of the internet, by a path", "%s", outcome(bind(inet, &any, sizeof any)));
}
