// Looks at, reads and changes what is in the person's home and not granted. Arguments: the home; a file of secrets in
// it with "PRIVATE KEY", whose directory is a secret too; a start-up file that is there.
#include <dirent.h>
#include <sys/inotify.h>

#include "tests/escape/attack.h"

static int lists(const char* path, const char* name) {
    DIR* directory = opendir(path);
    int found = 0;
    if (directory == NULL) return 0;
    for (struct dirent* entry; (entry = readdir(directory)) != NULL;)
        found = found || strcmp(entry->d_name, name) == 0;
    closedir(directory);
    if (!found) errno = ENOENT;
    return found;
}

int main(int argc, char** argv) {
    if (argc != 4) return 2;
    const char *home = argv[1], *secret = argv[2], *startup = argv[3];
    char parent[4100], name[300], path[4200];
    snprintf(parent, sizeof parent, "%.*s", (int)(strrchr(secret, '/') - secret), secret);
    snprintf(name, sizeof name, "%s", strrchr(secret, '/') + 1);
    way("read", reads(AT_FDCWD, secret, "PRIVATE KEY"), errno);
    way("list its directory", lists(parent, name), errno);
    const int home_fd = open(home, O_PATH | O_DIRECTORY);
    snprintf(path, sizeof path, "%s/%s", strrchr(parent, '/') + 1, name);
    way("read from the home", reads(home_fd, path, "PRIVATE KEY"), errno);
    const int held = open(secret, O_PATH);
    snprintf(path, sizeof path, "/proc/self/fd/%d", held);
    way("O_PATH opened again", held >= 0 && reads(AT_FDCWD, path, "PRIVATE KEY"), errno);
    call("write it", open(secret, O_WRONLY));
    call("link it here", link(secret, "stolen"));
    call("rename it here", rename(secret, "stolen"));
    call("remove it", unlink(secret));
    call("rename its directory", rename(parent, "stolen-directory"));
    call("write a start-up file", open(startup, O_WRONLY | O_APPEND));
    call("chmod a start-up file", chmod(startup, 0777));
    close(open("own", O_WRONLY | O_CREAT, 0755));
    call("replace a start-up file", rename("own", startup));
    return done();
}
