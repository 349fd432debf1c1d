// Reading below one root, with openat2(RESOLVE_IN_ROOT): links and ".." stay inside a captured tree
// (Linux 5.6).
#include <dirent.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <sys/stat.h>
#include <sys/syscall.h>

#include <algorithm>
#include <memory>

#include "platform/posture.hpp"

namespace reeve::platform::posture {
namespace {

int open_in_root(int root, const std::string& path, int flags) {
    open_how how{};
    how.flags = static_cast<std::uint64_t>(flags) | O_CLOEXEC;
    how.resolve = RESOLVE_IN_ROOT;
    // EAGAIN: something was renamed during the walk (openat2(2)); a few tries are enough on trees that rest.
    for (int left = 16;; --left) {
        const auto fd = syscall(SYS_openat2, root, path.c_str(), &how, sizeof how);
        if (fd >= 0 || left == 0 || (errno != EAGAIN && errno != EINTR)) return static_cast<int>(fd);
    }
}

}  // namespace

Result<RootedFileSystem> RootedFileSystem::open(const std::string& root) {
    Fd fd(::open(root.c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC));
    if (!fd) return os_error("open", root);
    return RootedFileSystem(std::move(fd));
}

Result<Fd> RootedFileSystem::open_below(const std::string& path, int flags, const char* tried) const {
    Fd fd(open_in_root(root_.get(), path, flags));
    if (!fd) return os_error(tried, path);
    return fd;
}

Result<std::string> RootedFileSystem::read(const std::string& path, std::size_t limit) const {
    // O_NONBLOCK: a FIFO in the place of a file must not hold us.
    const auto fd = open_below(path, O_RDONLY | O_NONBLOCK | O_NOCTTY, "read");
    if (!fd) return std::unexpected(fd.error());
    std::string bytes;
    char buffer[16384];  // sizes of files in /proc and /sys are not to be believed, so read until the end
    for (;;) {
        const auto got = ::read(fd->get(), buffer, sizeof buffer);
        if (got < 0 && errno == EINTR) continue;
        if (got < 0) return os_error("read", path);
        if (got == 0) return bytes;
        bytes.append(buffer, static_cast<std::size_t>(got));
        if (bytes.size() > limit) return os_error("read", path, EFBIG);
    }
}

Result<std::string> RootedFileSystem::read_link(const std::string& path) const {
    const auto fd = open_below(path, O_PATH | O_NOFOLLOW, "read the link");
    if (!fd) return std::unexpected(fd.error());
    char target[4096];
    const auto length = ::readlinkat(fd->get(), "", target, sizeof target);
    // An O_PATH descriptor that is no link gives ENOENT, which would read as "there is nothing".
    if (length < 0) return os_error("read the link", path, errno == ENOENT ? EINVAL : errno);
    return std::string(target, static_cast<std::size_t>(length));
}

Result<std::vector<std::string>> RootedFileSystem::list(const std::string& path) const {
    auto fd = open_below(path, O_RDONLY | O_DIRECTORY, "list");
    if (!fd) return std::unexpected(fd.error());
    const std::unique_ptr<DIR, int (*)(DIR*)> directory(::fdopendir(fd->get()), ::closedir);
    if (!directory) return os_error("list", path);
    (void)fd->release();  // the stream owns it now
    std::vector<std::string> names;
    // NOLINTNEXTLINE(concurrency-mt-unsafe): glibc keeps its state in the stream, which is this function's own
    for (errno = 0; const dirent* entry = ::readdir(directory.get()); errno = 0) {
        const std::string name = entry->d_name;
        if (name != "." && name != "..") names.push_back(name);
    }
    if (errno != 0) return os_error("list", path);
    std::ranges::sort(names);
    return names;
}

Result<FileSystem::Stat> RootedFileSystem::stat(const std::string& path) const {
    const auto fd = open_below(path, O_PATH, "look at");
    if (!fd) return std::unexpected(fd.error());
    struct stat st {};
    if (::fstat(fd->get(), &st) != 0) return os_error("look at", path);
    return Stat{.mode = st.st_mode, .modified = st.st_mtime};
}

Result<std::uint64_t> RootedFileSystem::mount_of(const std::string& path) const {
    const auto fd = open_below(path, O_PATH, "find the mount of");
    if (!fd) return std::unexpected(fd.error());
    // DONT_SYNC: a network file system is not asked (STATX_MNT_ID is of Linux 5.8).
    struct statx st {};
    if (::statx(fd->get(), "", AT_EMPTY_PATH | AT_STATX_DONT_SYNC, STATX_MNT_ID, &st) != 0)
        return os_error("find the mount of", path);
    if (!(st.stx_mask & STATX_MNT_ID)) return os_error("find the mount of", path, ENOTSUP);
    return st.stx_mnt_id;
}

}  // namespace reeve::platform::posture
