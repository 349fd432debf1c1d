// Puts itself before the keeper: a filter of one's own that hands calls to a listener of one's own, which lets all of
// them pass. Argument 1: a directory, 2: a name that may not be made there.
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <pthread.h>
#include <stddef.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>

#include "tests/escape/attack.h"

static void* let_pass(void* listener) {
    const int fd = *(int*)listener;
    for (;;) {
        struct seccomp_notif asked = {0};
        if (ioctl(fd, SECCOMP_IOCTL_NOTIF_RECV, &asked) != 0) return NULL;
        struct seccomp_notif_resp answer = {.id = asked.id, .flags = SECCOMP_USER_NOTIF_FLAG_CONTINUE};
        ioctl(fd, SECCOMP_IOCTL_NOTIF_SEND, &answer);
    }
}

int main(int argc, char** argv) {
    if (argc != 3 || chdir(argv[1]) != 0) return 2;
    struct sock_filter code[] = {BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
                                 BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_mkdirat, 0, 1),
                                 BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_USER_NOTIF),
                                 BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW)};
    const struct sock_fprog program = {.len = sizeof code / sizeof *code, .filter = code};
    prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
    static int listener;
    listener = (int)syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, SECCOMP_FILTER_FLAG_NEW_LISTENER, &program);
    way("listener", listener >= 0, errno);
    pthread_t thread;
    if (listener >= 0 && pthread_create(&thread, NULL, let_pass, &listener) != 0) return 2;
    // Whatever became of the listener, the name does not come to be.
    const int result = (int)syscall(SYS_mkdirat, AT_FDCWD, argv[2], 0755);
    way("name", result == 0, errno);
    // A filter of one's own that only allows is anybody's right, and changes nothing.
    code[2].k = SECCOMP_RET_ALLOW;
    syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, &program);
    rmdir(argv[2]);
    call("name under an own filter", mkdir(argv[2], 0755));
    return done();
}
