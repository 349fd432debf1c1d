// Reads a secret of the person's by every spelling of its path, and over symbolic links made before and
// during the session. Arguments: the secret, and the directory of the workspace. `planted` is a link that the
// host made there.
#include "tests/escape/attack.h"

int main(int argc, char** argv) {
    if (argc != 3) return 2;
    const char *secret = argv[1], *work = argv[2], *kText = "PRIVATE KEY";
    char path[4200];
    way("path", reads(AT_FDCWD, secret, kText), errno);
    snprintf(path, sizeof path, "//%s", secret);
    way("double slash", reads(AT_FDCWD, path, kText), errno);
    snprintf(path, sizeof path, "/./%s", secret);
    way("dot", reads(AT_FDCWD, path, kText), errno);
    snprintf(path, sizeof path, "/proc/self/root%s", secret);
    way("root of proc", reads(AT_FDCWD, path, kText), errno);
    snprintf(path, sizeof path, "%s/../../../../../../../..%s", work, secret);
    way("dots above the root", reads(AT_FDCWD, path, kText), errno);
    way("planted link", reads(AT_FDCWD, "planted/id_ed25519", kText), errno);
    way("dots out of the workspace", reads(AT_FDCWD, "../.ssh/id_ed25519", kText), errno);
    if (symlink(secret, "own") != 0) return 2;
    way("own link", reads(AT_FDCWD, "own", kText), errno);
    const int here = open(".", O_RDONLY | O_DIRECTORY);
    way("dots from a descriptor", reads(here, "../.ssh/id_ed25519", kText), errno);
    snprintf(path, sizeof path, "/proc/self/fd/%d/../.ssh/id_ed25519", here);
    way("dots from a descriptor's link", reads(AT_FDCWD, path, kText), errno);
    return done();
}
