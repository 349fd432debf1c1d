// Uses shared memory, a semaphore, and message queues of the host that everybody may use. Arguments: their
// numbers, and the name of a POSIX queue.
#include <sys/ipc.h>
#include <sys/msg.h>
#include <sys/sem.h>
#include <sys/shm.h>

#include "tests/escape/attack.h"

int main(int argc, char** argv) {
    if (argc != 5) return 2;
    way("shared memory", (long)shmat(atoi(argv[1]), NULL, 0) != -1, errno);
    call("semaphore", semctl(atoi(argv[2]), 0, GETVAL));
    struct msqid_ds queue;
    call("message queue", msgctl(atoi(argv[3]), IPC_STAT, &queue));
    call("POSIX queue", syscall(SYS_mq_open, argv[4], O_RDONLY, 0, NULL));
    return done();
}
