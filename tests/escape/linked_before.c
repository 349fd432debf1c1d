// Writes to a protected file by a second name of it, that was made before the session. Runs in the directory of argument
// 1; argument 2 is that name.
#include "tests/escape/attack.h"

int main(int argc, char** argv) {
    if (argc != 3 || chdir(argv[1]) != 0) return 2;
    call("write", open(argv[2], O_WRONLY | O_APPEND));
    call("truncate", truncate(argv[2], 1));
    call("truncate by a reader", open(argv[2], O_RDONLY | O_TRUNC));
    call("chmod", chmod(argv[2], 0666));
    return done();
}
