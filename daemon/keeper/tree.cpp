#include "daemon/keeper/tree.hpp"

#include <fcntl.h>
#include <limits.h>
#include <linux/openat2.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <charconv>

namespace reeve::keeper {
namespace {

using platform::Fd;

// Linux 6.8: ids that no later mount gets. On older kernels the field has the ordinary id, which a mount made after
// the end of another may get; the session's mounts stay as long as it does.
constexpr unsigned kStatxMountIdUnique = 0x4000;
constexpr unsigned kWanted = STATX_BASIC_STATS | STATX_MNT_ID | kStatxMountIdUnique;
constexpr std::string_view kDeleted =
    " (deleted)";  // what the kernel puts behind the path of a name that is gone

}  // namespace

Or<Fd> open_at(int directory, const char* path, std::uint64_t flags, std::uint64_t resolve, mode_t mode) {
    open_how how{};
    how.flags = flags | O_CLOEXEC;
    how.mode = mode;
    how.resolve = resolve;
    Fd fd;
    do {  // EAGAIN: a rename was under way somewhere while ".." was resolved
        fd.reset(static_cast<int>(::syscall(SYS_openat2, directory, path, &how, sizeof how)));
    } while (!fd && errno == EAGAIN && (resolve & RESOLVE_IN_ROOT) != 0);
    if (!fd) return std::unexpected(errno);
    return fd;
}

Tree::Tree(Fd root)
    : root_(std::move(root)), links_(::open("/proc/self/fd", O_PATH | O_DIRECTORY | O_CLOEXEC)) {}

Tree::Link Tree::link_of(int fd) {
    Link link{};
    std::to_chars(link.text, link.text + sizeof link.text - 1, fd);
    return link;
}

Or<struct statx> Tree::status_of(int fd) {
    struct statx status {};
    if (::statx(fd, "", AT_EMPTY_PATH | AT_STATX_DONT_SYNC, kWanted, &status) != 0)
        return std::unexpected(errno);
    return status;
}

Or<struct statx> Tree::status_at(const std::string& path) const {
    const char* relative = path.size() > 1 ? path.c_str() + 1 : ".";
    auto fd = open_at(root_.get(), relative, O_PATH | O_NOFOLLOW, RESOLVE_IN_ROOT | RESOLVE_NO_SYMLINKS);
    if (!fd) return std::unexpected(fd.error());
    return status_of(fd->get());
}

Or<Seen> Tree::look(int fd) const {
    Seen seen;
    auto status = status_of(fd);
    if (!status) return std::unexpected(status.error());
    seen.status = *status;
    char buffer[PATH_MAX];
    const ssize_t length = ::readlinkat(links_.get(), link_of(fd).text, buffer, sizeof buffer);
    if (length < 0) return std::unexpected(errno);
    seen.path.assign(buffer, static_cast<std::size_t>(length));
    if (seen.path.ends_with(kDeleted) && is_deleted(seen)) {
        seen.deleted = true;
        seen.path.resize(seen.path.size() - kDeleted.size());
    }
    seen.inside = seen.path.starts_with('/') && holds(seen.status.stx_mnt_id, seen.path);
    return seen;
}

// A name may end like the kernel's mark as well; a file that lost the name it was opened by may have others.
bool Tree::is_deleted(const Seen& seen) const {
    if (seen.status.stx_nlink == 0) return true;
    auto there = status_at(seen.path);
    return !there || there->stx_ino != seen.status.stx_ino || there->stx_mnt_id != seen.status.stx_mnt_id;
}

bool Tree::holds(std::uint64_t mount, const std::string& path) const {
    {
        const std::shared_lock lock(mutex_);
        if (std::ranges::find(mounts_, mount) != mounts_.end()) return true;
    }
    auto there = status_at(path);
    if (!there || there->stx_mnt_id != mount) return false;
    learn(mount);
    return true;
}

void Tree::learn(std::uint64_t mount) const {
    const std::lock_guard lock(mutex_);
    if (std::ranges::find(mounts_, mount) == mounts_.end()) mounts_.push_back(mount);
}

void Tree::learn(const std::string& path) {
    if (auto there = status_at(path)) learn(there->stx_mnt_id);
}

}  // namespace reeve::keeper
