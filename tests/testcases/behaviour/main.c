// Operations on a scratch directory, one line each: what a program notices of them. The same program run outside and
// inside of a session is to print the same (tests/integration/behaviour.py compares). Arguments: an existing directory,
// which is emptied before each group; then groups, or none for all.
#include "tests/testcases/behaviour/observe.h"

void opens(void);
void open_details(void);
void unnamed(void);
void names(void);
void links(void);
void renames(void);
void attributes(void);
void times(void);
void extended(void);
void sockets(void);
void connects(void);
void paths(void);
void processes(void);
void limits(void);
void waiting(void);
void locks(void);
void special(void);
void contents(void);
void deep(void);

static const struct {
    const char* name;
    void (*run)(void);
} kGroups[] = {{"opens", opens},           {"open_details", open_details},
               {"unnamed", unnamed},       {"names", names},
               {"links", links},           {"renames", renames},
               {"attributes", attributes}, {"times", times},
               {"extended", extended},     {"sockets", sockets},
               {"paths", paths},           {"processes", processes},
               {"limits", limits},         {"waiting", waiting},
               {"locks", locks},           {"special", special},
               {"contents", contents},     {"deep", deep},
               {"connects", connects}};

static bool chosen(const char* name, int count, char** groups) {
    for (int i = 0; i < count; ++i)
        if (strcmp(groups[i], name) == 0) return true;
    return count == 0;
}

int main(int argc, char** argv) {
    if (argc < 2) return 2;
    must(chdir(argv[1]) == 0 && getcwd(here, sizeof here) != NULL, argv[1]);
    int failed = 0;
    for (unsigned i = 0; i < sizeof kGroups / sizeof *kGroups; ++i) {
        if (!chosen(kGroups[i].name, argc - 2, argv + 2)) continue;
        group_name = kGroups[i].name;
        clear(here);
        must(chmod(here, 0755) == 0, here);
        umask(022);
        if (!in_child(kGroups[i].run)) {
            line("the group itself", "did not come to its end");
            failed = 1;
        }
        must(chdir(here) == 0, here);
        clear(here);
    }
    return failed;
}
