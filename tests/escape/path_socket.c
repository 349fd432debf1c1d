// Connects to a socket of the host's, as those of docker, ssh-agent or the session bus. Argument: its path.
#include <sys/socket.h>
#include <sys/un.h>

#include "tests/escape/attack.h"

int main(int argc, char** argv) {
    if (argc != 2) return 2;
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    strncpy(address.sun_path, argv[1], sizeof address.sun_path - 1);
    const int fd = socket(AF_UNIX, SOCK_STREAM, 0);
    call("connect", connect(fd, (struct sockaddr*)&address, sizeof address));
    return done();
}
