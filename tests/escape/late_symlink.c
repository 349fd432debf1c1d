// Puts something else in the place of a denied directory of the workspace while the session runs
// (CVE-2026-39861), or moves it to where it is not denied. Its ancestor can be moved, but the denial goes
// with it. Runs in the workspace, which has above/denied/secret.
#include <linux/fs.h>

#include "tests/escape/attack.h"

int main(void) {
    const char* kText = "PRIVATE KEY";
    mkdir("other", 0755);
    way("read", reads(AT_FDCWD, "above/denied/secret", kText), errno);
    call("exchange", syscall(SYS_renameat2, AT_FDCWD, "other", AT_FDCWD, "above/denied", RENAME_EXCHANGE));
    if (rename("above", "moved") == 0) {
        way("ancestor moved",
            reads(AT_FDCWD, "moved/denied/secret", kText) || reads(AT_FDCWD, "moved/../other/secret", kText),
            errno);
        rename("moved", "above");
    }
    syscall(SYS_renameat2, AT_FDCWD, "other", AT_FDCWD, "above/denied", RENAME_EXCHANGE);
    call("move away", rename("above/denied", "away"));
    call("link", symlink("/tmp", "above/denied"));
    return done();
}
