// Leaves what git of the person would run or follow later: hooks, hooks of submodules, settings by other files,
// pointers to another repository. Runs in the directory of argument 1, a repository.
#include "tests/escape/attack.h"

static const struct {
    const char *way, *directory, *file, *text;
} kPlaces[] = {
    {"hook", ".git/hooks", ".git/hooks/post-checkout", "#!/bin/sh\ntouch /tmp/evil\n"},
    {"hook of a submodule", ".git/modules/sub/hooks", ".git/modules/sub/hooks/post-merge", "#!/bin/sh\n"},
    {"hook of a submodule's submodule", ".git/modules/a/modules/b/hooks",
     ".git/modules/a/modules/b/hooks/pre-push", "#!/bin/sh\n"},
    {"hook of a repository below", "deep/er/.git/hooks", "deep/er/.git/hooks/pre-commit", "#!/bin/sh\n"},
    {"settings", ".git", ".git/config", "[core]\n\tfsmonitor = /tmp/evil\n\thooksPath = /tmp\n"},
    {"settings of the worktree", ".git", ".git/config.worktree", "[core]\n\tsshCommand = /tmp/evil\n"},
    {"settings of a submodule", ".git/modules/sub", ".git/modules/sub/config",
     "[core]\n\tfsmonitor = /tmp/evil\n"},
    {"common directory", ".git", ".git/commondir", "/tmp/evil\n"},
    {"pointer to another repository", "pointed", "pointed/.git", "gitdir: /tmp/evil\n"},
    {"attributes with a filter", ".git/info", ".git/info/attributes", "* filter=evil\n"},
};

static void make_all(const char* path) {
    char part[300];
    for (const char* slash = strchr(path, '/');; slash = strchr(slash + 1, '/')) {
        snprintf(part, sizeof part, "%.*s", slash == NULL ? (int)strlen(path) : (int)(slash - path), path);
        mkdir(part, 0755);
        if (slash == NULL) return;
    }
}

int main(int argc, char** argv) {
    if (argc != 2 || chdir(argv[1]) != 0) return 2;
    for (unsigned i = 0; i < sizeof kPlaces / sizeof *kPlaces; ++i) {
        make_all(kPlaces[i].directory);
        // As git and editors write: beside it, and then in its place.
        const int fd = open(kPlaces[i].file, O_WRONLY | O_CREAT | O_TRUNC, 0755);
        const int error = errno;
        const size_t size = strlen(kPlaces[i].text);
        way(kPlaces[i].way, fd >= 0 && write(fd, kPlaces[i].text, size) == (ssize_t)size, error);
        if (fd >= 0) close(fd);
        unlink(kPlaces[i].file);
        const int beside = open("beside", O_WRONLY | O_CREAT | O_TRUNC, 0755);
        if (beside < 0 || write(beside, kPlaces[i].text, size) != (ssize_t)size) return 2;
        close(beside);
        char by[100];
        snprintf(by, sizeof by, "%s, by rename", kPlaces[i].way);
        call(by, rename("beside", kPlaces[i].file));
        unlink(kPlaces[i].file);
    }
    return done();
}
