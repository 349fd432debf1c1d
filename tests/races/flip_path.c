// The name in memory flips between one that is allowed and one that is not, by a single byte, while the call reads it.
// A third argument says which call.
#include "tests/races/race.h"

static char name[] = "xmcp.json";
static struct sockaddr_un address = {.sun_family = AF_UNIX, .sun_path = "xmcp.json"};

static void* flip(void* unused) {
    volatile char *first = name, *of_address = address.sun_path;
    while (!over) {
        *first = *of_address = '.';
        *first = *of_address = 'x';
    }
    return unused;
}

static long closed(int fd) {
    if (fd >= 0) close(fd);
    return fd;
}

static long by_open(void) {
    return closed(open(name, O_WRONLY | O_CREAT | O_CLOEXEC, 0644));
}
static long by_open_exclusively(void) {
    return closed(open(name, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0644));
}
static long by_creat(void) {
    return closed(creat(name, 0644));
}
static long by_mkdir(void) {
    return mkdir(name, 0755);
}
static long by_mknod(void) {
    return mknod(name, S_IFIFO | 0644, 0);
}
static long by_symlink(void) {
    return symlink("plain", name);
}
static long by_link(void) {
    return link("source", name);
}
static long by_rename(void) {
    make("moving");
    return rename("moving", name);
}
static long by_rename_directory(void) {
    mkdir("moving-dir", 0755);
    return rename("moving-dir", name);
}
static long by_unnamed(void) {
    char path[64];
    const int source = open(".", O_TMPFILE | O_RDWR | O_CLOEXEC, 0644);
    need(source >= 0, "O_TMPFILE");
    snprintf(path, sizeof path, "/proc/self/fd/%d", source);
    const long result = linkat(AT_FDCWD, path, AT_FDCWD, name, AT_SYMLINK_FOLLOW);
    close(source);
    return result;
}
static long by_bind(void) {
    const int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    const long result = bind(fd, (const struct sockaddr*)&address, sizeof address);
    close(fd);
    return result;
}

static const struct {
    const char* name;
    long (*call)(void);
} kCalls[] = {{"open", by_open},       {"open_exclusively", by_open_exclusively},
              {"creat", by_creat},     {"mkdir", by_mkdir},
              {"mknod", by_mknod},     {"symlink", by_symlink},
              {"link", by_link},       {"rename", by_rename},
              {"unnamed", by_unnamed}, {"rename_directory", by_rename_directory},
              {"bind", by_bind}};

int main(int argc, char** argv) {
    long (*call)(void) = NULL;
    for (unsigned i = 0; argc == 4 && i < sizeof kCalls / sizeof *kCalls; ++i)
        if (strcmp(kCalls[i].name, argv[3]) == 0) call = kCalls[i].call;
    if (call == NULL) return 2;
    begin(argc, argv, flip);
    make("source");
    long round = 0;
    for (; round < rounds && !through; ++round) {
        count(call());
        if (unlink("xmcp.json") != 0) rmdir("xmcp.json");
        through = exists(".mcp.json");
    }
    return end(round);
}
