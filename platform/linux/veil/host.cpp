#include "platform/linux/veil/host.hpp"

#include <fcntl.h>
#include <linux/openat2.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <climits>

namespace reeve::platform::veil {
namespace {

constexpr std::string_view kDeleted = " (deleted)";

OrErrno<FdRef> open_path(int directory, const char* path, std::uint64_t flags) {
    open_how how{};
    how.flags = O_PATH | O_NOFOLLOW | O_CLOEXEC | flags;
    how.resolve = RESOLVE_NO_SYMLINKS | RESOLVE_NO_MAGICLINKS | RESOLVE_BENEATH;
    while (true) {
        Fd fd(static_cast<int>(::syscall(SYS_openat2, directory, path, &how, sizeof how)));
        if (fd) return std::make_shared<const Fd>(std::move(fd));
        // EAGAIN: a rename somewhere in the meantime (openat2(2)).
        if (errno != EAGAIN) return std::unexpected(errno);
    }
}

}  // namespace

Identity identity_of(const struct stat& status) {
    return {.device = status.st_dev, .inode = status.st_ino, .type = status.st_mode & S_IFMT};
}

std::string join(std::string_view directory, std::string_view name) {
    std::string path;
    path.reserve(directory.size() + 1 + name.size());
    if (directory != "/") path += directory;
    path += '/';
    return path += name;
}

Result<Host> Host::open() {
    Host host;
    host.root_.reset(::open("/", O_PATH | O_DIRECTORY | O_CLOEXEC));
    if (!host.root_) return os_error("open", "/");
    host.links_.reset(::open("/proc/self/fd", O_PATH | O_DIRECTORY | O_CLOEXEC));
    if (!host.links_) return os_error("open", "/proc/self/fd");
    return host;
}

OrErrno<FdRef> Host::directory(std::string_view path) const {
    const std::string relative = path.size() > 1 ? std::string(path.substr(1)) : ".";
    return open_path(root_.get(), relative.c_str(), O_DIRECTORY);
}

OrErrno<FdRef> Host::child(int directory, const char* name) {
    const std::string_view text = name;
    if (text.empty() || text == "." || text == ".." || text.find('/') != std::string_view::npos)
        return std::unexpected(EINVAL);  // the kernel never asks for these
    return open_path(directory, name, 0);
}

OrErrno<std::string> Host::path_of(int fd) const {
    char text[PATH_MAX + kDeleted.size() + 1];
    const ssize_t size = ::readlinkat(links_.get(), link(fd).c_str(), text, sizeof text);
    if (size < 0) return std::unexpected(errno);
    if (size == sizeof text) return std::unexpected(ENAMETOOLONG);
    std::string path(text, static_cast<std::size_t>(size));
    if (!path.starts_with('/')) return std::unexpected(EACCES);  // "(unreachable)/…"
    if (!path.ends_with(kDeleted)) return path;
    // A name of its own that ends like this, or the kernel's word for a name that is gone.
    const auto there = open_path(root_.get(), path.c_str() + 1, 0);
    const auto found = there ? status((*there)->get()) : OrErrno<struct stat>(std::unexpected(there.error()));
    const auto own = status(fd);
    if (!found || !own || identity_of(*found) != identity_of(*own)) return std::unexpected(ESTALE);
    return path;
}

OrErrno<Fd> Host::reopen(int fd, int flags) const {
    Fd opened(::openat(links_.get(), link(fd).c_str(), flags | O_CLOEXEC | O_NOCTTY));
    if (!opened) return std::unexpected(errno);
    return opened;
}

OrErrno<struct stat> Host::status(int fd) {
    struct stat status {};
    if (::fstatat(fd, "", &status, AT_EMPTY_PATH | AT_SYMLINK_NOFOLLOW) != 0) return std::unexpected(errno);
    return status;
}

}  // namespace reeve::platform::veil
