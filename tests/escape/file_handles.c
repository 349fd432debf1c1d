// Opens files by their numbers instead of their paths, of the whole file system of a zone ("shocker").
#include "tests/escape/attack.h"

int main(void) {
    union {
        struct file_handle handle;
        char space[sizeof(struct file_handle) + MAX_HANDLE_SZ];
    } own;
    memset(&own, 0, sizeof own);
    own.handle.handle_bytes = MAX_HANDLE_SZ;
    int mount_id;
    const int here = open(".", O_RDONLY | O_DIRECTORY);
    name_to_handle_at(AT_FDCWD, ".", &own.handle, &mount_id, 0);
    call("open_by_handle_at", open_by_handle_at(here, &own.handle, O_RDONLY));
    return done();
}
