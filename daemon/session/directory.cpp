#include "daemon/session/directory.hpp"

#include <fcntl.h>
#include <limits.h>
#include <linux/openat2.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

namespace reeve::session {

using platform::error;
using platform::Fd;
using platform::os_error;

platform::Result<Directory> directory_of(const Fd& fd, const std::string& what) {
    const auto refuse = [&](const std::string& on, const char* why, const char* todo) {
        return error("use " + what, on, why, todo);
    };
    struct stat status {};
    if (::fstat(fd.get(), &status) != 0) return os_error("look at " + what, "");
    char path[PATH_MAX];
    const ssize_t length =
        ::readlink(("/proc/self/fd/" + std::to_string(fd.get())).c_str(), path, sizeof path);
    if (length <= 0 || static_cast<std::size_t>(length) == sizeof path)
        return os_error("find the path of " + what, "");
    Directory directory{.path = std::string(path, static_cast<std::size_t>(length)),
                        .device = status.st_dev,
                        .inode = status.st_ino,
                        .owner = status.st_uid};
    if (!S_ISDIR(status.st_mode)) return refuse(directory.path, "it is not a directory", "name a directory");
    // The name must lead to this very object, without a link on the way, in the daemon's own view.
    open_how how{};
    how.flags = O_PATH | O_DIRECTORY | O_CLOEXEC;
    how.resolve = RESOLVE_NO_SYMLINKS | RESOLVE_NO_MAGICLINKS;
    const Fd again(
        static_cast<int>(::syscall(SYS_openat2, AT_FDCWD, directory.path.c_str(), &how, sizeof how)));
    struct stat found {};
    if (!again || ::fstat(again.get(), &found) != 0 || found.st_dev != status.st_dev ||
        found.st_ino != status.st_ino)
        return refuse(directory.path, "it has been removed or moved, or is not visible to the daemon",
                      "start it from a directory of this machine that exists");
    return directory;
}

bool is_within(const std::string& path, const std::string& base) {
    if (base == "/") return path.starts_with('/');
    return path.starts_with(base) && (path.size() == base.size() || path[base.size()] == '/');
}

}  // namespace reeve::session
