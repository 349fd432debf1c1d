// Reaches denied files under odd spellings, and denied files whose names are odd: backslash, newline, bytes
// that are not UTF-8. Runs in the workspace.
#include "tests/escape/attack.h"

int main(void) {
    const char* paths[] = {"denied/secret",
                           "denied//secret",
                           "./denied/./secret",
                           "d/../denied/secret",
                           "denied/../denied/secret",
                           "back\\slash",
                           "new\nline",
                           "not\xff\xfeutf8",
                           ".//not\xff\xfeutf8",
                           "-rf"};
    mkdir("d", 0755);
    for (unsigned i = 0; i < sizeof paths / sizeof *paths; ++i) {
        char name[16];
        snprintf(name, sizeof name, "path %u", i);
        way(name, reads(AT_FDCWD, paths[i], "PRIVATE KEY"), errno);
    }
    call("trailing slash", open("denied/", O_RDONLY | O_DIRECTORY));
    return done();
}
