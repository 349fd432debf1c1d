// Sends to a datagram socket of the host's with no connect() that could be judged. Argument: its path.
#include <sys/socket.h>
#include <sys/un.h>

#include "tests/escape/attack.h"

int main(int argc, char** argv) {
    if (argc != 2) return 2;
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    strncpy(address.sun_path, argv[1], sizeof address.sun_path - 1);
    const int fd = socket(AF_UNIX, SOCK_DGRAM, 0);
    call("socket", fd);
    call("raw is datagram", socket(AF_UNIX, SOCK_RAW, 0));
    call("sendto", sendto(fd, "x", 1, 0, (struct sockaddr*)&address, sizeof address));
    int pair[2] = {-1, -1};
    call("pair", socketpair(AF_UNIX, SOCK_DGRAM, 0, pair));
    call("pair, connect", connect(pair[0], (struct sockaddr*)&address, sizeof address));
    call("pair, sendto", sendto(pair[1], "x", 1, 0, (struct sockaddr*)&address, sizeof address));
    return done();
}
