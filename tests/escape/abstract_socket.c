// Connects to an abstract socket of the host, as those of X11, ibus or containerd-shim. Argument: its name.
#include <stddef.h>
#include <sys/socket.h>
#include <sys/un.h>

#include "tests/escape/attack.h"

int main(int argc, char** argv) {
    if (argc != 2) return 2;
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    strncpy(address.sun_path + 1, argv[1], sizeof address.sun_path - 2);
    const socklen_t size = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + 1 + strlen(argv[1]));
    const int fd = socket(AF_UNIX, SOCK_STREAM, 0);
    call("connect", connect(fd, (struct sockaddr*)&address, size));
    return done();
}
