// Changes the tree of the session: a new file system, a read-only zone made writable, a zone taken off, also
// by a directory that was opened before. Argument: a read-only zone.
#include <sys/mount.h>

#include "tests/escape/attack.h"

int main(int argc, char** argv) {
    if (argc != 2) return 2;
    const int before = open(argv[1], O_RDONLY | O_DIRECTORY);
    char path[64];
    snprintf(path, sizeof path, "/proc/self/fd/%d", before);
    call("bind", mount(argv[1], argv[1], NULL, MS_BIND, NULL));
    call("remount", mount(NULL, argv[1], NULL, MS_REMOUNT | MS_BIND, NULL));
    call("propagation", mount(NULL, argv[1], NULL, MS_SHARED, NULL));
    call("new", mount("none", argv[1], "tmpfs", 0, NULL));
    call("unmount", umount2(argv[1], MNT_DETACH));
    call("unmount by descriptor", umount2(path, MNT_DETACH));
    past("pivot_root", syscall(SYS_pivot_root, ".", "."));
    past("move_mount", syscall(SYS_move_mount, before, "", AT_FDCWD, ".", 4 /* MOVE_MOUNT_F_EMPTY_PATH */));
    return done();
}
