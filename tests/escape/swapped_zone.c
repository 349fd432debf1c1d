// Reads what it was never granted, because the path of its zone led elsewhere by the time of the mount (the
// class of CVE-2021-44731). The host's side does the swap. Argument: the zone.
#include "tests/escape/attack.h"

int main(int argc, char** argv) {
    if (argc != 2 || chdir(argv[1]) != 0) return 2;
    way("secret", reads(AT_FDCWD, "id_ed25519", "PRIVATE KEY"), errno);
    return done();
}
