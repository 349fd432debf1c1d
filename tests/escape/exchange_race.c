// One thread exchanges a directory with a symbolic link to the place of the secrets, another opens through
// the name. Arguments: the directory of the secrets, rounds.
#include <linux/fs.h>
#include <pthread.h>
#include <stdatomic.h>

#include "tests/escape/attack.h"

static atomic_int stop;

static void* exchange(void* unused) {
    while (!stop) syscall(SYS_renameat2, AT_FDCWD, "swap/a", AT_FDCWD, "swap/b", RENAME_EXCHANGE);
    return unused;
}

int main(int argc, char** argv) {
    if (argc != 3) return 2;
    mkdir("swap", 0755);
    mkdir("swap/a", 0755);
    close(open("swap/a/id_ed25519", O_WRONLY | O_CREAT, 0644));
    if (symlink(argv[1], "swap/b") != 0) return 2;
    pthread_t thread;
    if (pthread_create(&thread, NULL, exchange, NULL) != 0) return 2;
    long leaked = 0;
    for (long i = atol(argv[2]); i > 0; --i) leaked += reads(AT_FDCWD, "swap/a/id_ed25519", "PRIVATE KEY");
    stop = 1;
    pthread_join(thread, NULL);
    way("open through the name", leaked > 0, ENOENT);
    return done();
}
