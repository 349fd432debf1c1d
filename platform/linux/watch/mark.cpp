#include <fcntl.h>
#include <sys/fanotify.h>
#include <sys/stat.h>

#include <string>

#include "platform/watch.hpp"

namespace reeve::platform::watch {
namespace {

std::uint64_t mask_of(unsigned log) {
    std::uint64_t mask = FAN_OPEN_EXEC;
    if (log & confine::kLogOpens) mask |= FAN_OPEN | FAN_ONDIR;
    if (log & (confine::kLogChanges | confine::kLogWrites)) mask |= FAN_CLOSE_WRITE;
    return mask;
}

// fanotify_mark() takes no O_PATH descriptor itself and has no AT_EMPTY_PATH, so that the mount's root is
// named by a path from it: "." for a directory, which asks nothing of /proc, and the magic link for a file.
Status mark(int group, int mount, std::uint64_t mask, bool directory) {
    const std::string link = "/proc/self/fd/" + std::to_string(mount);
    const int at = directory ? mount : AT_FDCWD;
    const char* path = directory ? "." : link.c_str();
    if (fanotify_mark(group, FAN_MARK_ADD | FAN_MARK_MOUNT, mask, at, path) == 0) return {};
    const int code = errno;
    std::string todo;
    if (code == ENOSPC) todo = "raise the sysctl fs.fanotify.max_user_marks";
    if (code == EPERM) todo = "it needs CAP_SYS_ADMIN in the initial user namespace";
    return os_error("watch the mount", "", code, todo);
}

}  // namespace

Status mark_mount(int group, int mount, unsigned log) {
    struct stat root;
    if (fstat(mount, &root) != 0) return os_error("look at the mount to watch", "");
    return mark(group, mount, mask_of(log), S_ISDIR(root.st_mode));
}

// fanotify_test_fid() and fanotify_test_fsid() in the kernel: EOPNOTSUPP without export operations that
// decode, ENODEV with a zero fsid, EXDEV where a subvolume's fsid is not its superblock's (btrfs, bcachefs).
bool refuses_handles(const Error& error) {
    return error.code == EOPNOTSUPP || error.code == ENODEV || error.code == EXDEV;
}

}  // namespace reeve::platform::watch
