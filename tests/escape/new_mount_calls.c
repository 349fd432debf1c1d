// The same by the calls that came with Linux 5.2. Argument: a read-only zone.
#include <sys/mount.h>

#include "tests/escape/attack.h"

int main(int argc, char** argv) {
    if (argc != 2) return 2;
    const int fs = (int)syscall(SYS_fsopen, "tmpfs", 0);
    call("fsopen", fs);
    call("fsconfig", syscall(SYS_fsconfig, fs, 6 /* FSCONFIG_CMD_CREATE */, NULL, NULL, 0));
    call("fsmount", syscall(SYS_fsmount, fs, 0, 0));
    call("fspick", syscall(SYS_fspick, AT_FDCWD, argv[1], 0));
    call("open_tree", syscall(SYS_open_tree, AT_FDCWD, argv[1], 1 /* OPEN_TREE_CLONE */));
    struct mount_attr attr = {.attr_clr = MOUNT_ATTR_RDONLY};
    call("mount_setattr", syscall(SYS_mount_setattr, AT_FDCWD, argv[1], 0, &attr, sizeof attr));
    return done();
}
