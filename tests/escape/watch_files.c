// Watches what others do with files, with handles to open them by.
#include <sys/fanotify.h>

#include "tests/escape/attack.h"

int main(void) {
    const int group = (int)syscall(SYS_fanotify_init, FAN_CLASS_NOTIF | FAN_REPORT_FID, O_RDONLY);
    call("fanotify_init", group);
    call("fanotify_mark", syscall(SYS_fanotify_mark, group, FAN_MARK_ADD, FAN_OPEN, AT_FDCWD, "."));
    return done();
}
