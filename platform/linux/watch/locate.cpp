#include <fcntl.h>
#include <linux/magic.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <climits>
#include <cstring>

#include "platform/watch.hpp"

namespace reeve::platform::watch {
namespace {

constexpr std::string_view kDeleted = " (deleted)";

// The kernel's own text for what a descriptor is open on (d_path). False where it cannot be had: longer than
// a page.
bool path_of(int fd, std::string& out) {
    std::array<char, 32> link;
    std::array<char, PATH_MAX> text;
    std::snprintf(link.data(), link.size(), "/proc/self/fd/%d", fd);
    const ssize_t size = readlink(link.data(), text.data(), text.size());
    out.assign(text.data(), size > 0 ? static_cast<std::size_t>(size) : 0);
    return size > 0 && out.front() == '/';
}

// d_path() says so with a suffix that may as well be part of a name. What is open and has no name left has no
// links.
bool cut_deleted(int fd, std::string& path) {
    if (!path.ends_with(kDeleted)) return false;
    struct stat object;
    if (fstat(fd, &object) == 0 && object.st_nlink > 0) {
        struct stat named;
        if (lstat(path.c_str(), &named) == 0 && named.st_dev == object.st_dev &&
            named.st_ino == object.st_ino)
            return false;
    }
    path.resize(path.size() - kDeleted.size());
    return true;
}

bool holds(std::string_view tree, std::string_view path) {
    return tree == "/" ||
           (path.starts_with(tree) && (path.size() == tree.size() || path[tree.size()] == '/'));
}

std::string_view file_system(std::string_view handle) {
    return handle.substr(0, sizeof(fsid_t));
}

// Those of linux/magic.h that developers' files lie on and that no server is behind.
bool is_local(std::uint64_t type) {
    constexpr std::array<std::uint64_t, 6> kLocal = {EXT4_SUPER_MAGIC, BTRFS_SUPER_MAGIC,
                                                     XFS_SUPER_MAGIC,  TMPFS_MAGIC,
                                                     F2FS_SUPER_MAGIC, 0xca45'1a4e /* bcachefs */};
    return std::ranges::find(kLocal, type) != kLocal.end();
}

// A directory's path and a name in it. d_path() of the root is "/".
std::string_view separator(std::string_view directory) {
    return directory.ends_with('/') ? "" : "/";
}

}  // namespace

// One mount that handles can be opened on. Mounts of one file system differ in the paths that they give.
struct Locator::Mount {
    Fd root;
    std::string file_system;  // the bytes of its fsid, as in an event
    std::uint64_t id = 0;
    std::string prefix;     // of what the kernel says of a detached mount: where it is inside
    unsigned log = 0;       // of all its places
    bool is_local = false;  // no server of its own, on this machine or another
};

struct Locator::Directory {
    std::uint64_t id = 0;
    std::string handle;
    Fd fd;
    const Mount* mount = nullptr;
    std::string path;
    unsigned log = 0;
    bool deleted = false;
    std::uint64_t turn = 0;
};

std::string_view Location::path(std::string& out) const {
    out = directory;
    if (name == "." || name.empty()) return out;
    if (!directory.empty()) out += separator(directory);
    return out += name;
}

bool Location::equals(std::string_view path) const {
    if (!path.starts_with(directory)) return false;
    path.remove_prefix(directory.size());
    if (name == "." || name.empty()) return path.empty();
    if (!directory.empty() && !directory.ends_with('/')) {
        if (!path.starts_with('/')) return false;
        path.remove_prefix(1);
    }
    return path == name;
}

Locator::Locator(std::size_t most_directories) : most_(std::max<std::size_t>(most_directories, 16)) {}
Locator::~Locator() = default;

Status Locator::add(Place place) {
    auto mount = std::make_unique<Mount>();
    // open_by_handle_at() takes no O_PATH descriptor for the mount.
    mount->root.reset(openat(place.root.get(), ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    struct statfs system;
    struct statx root;
    if (!mount->root || fstatfs(mount->root.get(), &system) != 0 ||
        statx(mount->root.get(), "", AT_EMPTY_PATH, STATX_MNT_ID, &root) != 0)
        return os_error("follow the files of", place.path);
    mount->file_system.assign(reinterpret_cast<const char*>(&system.f_fsid), sizeof system.f_fsid);
    mount->id = root.stx_mnt_id;
    mount->log = place.log;
    mount->is_local = is_local(static_cast<std::uint64_t>(system.f_type));
    if (!place.of_host) mount->prefix = place.path;

    const auto same = [&](const auto& other) {
        return other->id == mount->id && other->file_system == mount->file_system &&
               other->prefix == mount->prefix;
    };
    const auto known = std::ranges::find_if(mounts_, same);
    if (known != mounts_.end())
        (*known)->log |= mount->log;
    else
        mounts_.push_back(std::move(mount));
    place.root.reset();
    places_.push_back(std::move(place));
    std::ranges::sort(places_, std::ranges::greater{}, [](const Place& each) { return each.path.size(); });
    ++turn_;  // what is in the cache may lie in the new place
    return {};
}

// The innermost place decides; a path that is in none (a single file's directory, a directory that was moved
// out) is taken for all that its file system's places log, so that nothing is left out by mistake.
unsigned Locator::log_of(std::string_view path, const Mount* mount, bool& inside) const {
    for (const Place& place : places_) {
        inside = holds(place.path, path);
        if (inside) return place.log;
    }
    return mount != nullptr ? mount->log : ~0U;
}

Location Locator::locate(const Event& event) {
    if (event.fd >= 0) return locate_descriptor(event.fd);
    Directory& at = directory(event.directory);
    if (at.turn != turn_) {
        refresh(at);
        at.turn = turn_;
    }
    return {at.id, at.path, event.name, at.log, at.deleted};
}

std::optional<std::uint64_t> Locator::size(const Event& event) const {
    struct stat object;
    if (event.fd >= 0) {  // such file systems have no handles, and mostly a server
        struct statfs system;
        if (fstatfs(event.fd, &system) != 0 || !is_local(static_cast<std::uint64_t>(system.f_type)) ||
            fstat(event.fd, &object) != 0)
            return std::nullopt;
    } else {
        const auto known = by_handle_.find(event.directory);
        std::array<char, NAME_MAX + 1> name{};
        if (known == by_handle_.end() || !known->second->fd || !known->second->mount->is_local ||
            event.name.size() >= name.size())
            return std::nullopt;
        std::ranges::copy(event.name, name.begin());
        if (fstatat(known->second->fd.get(), name.data(), &object, AT_SYMLINK_NOFOLLOW) != 0)
            return std::nullopt;
    }
    if (!S_ISREG(object.st_mode)) return std::nullopt;
    return static_cast<std::uint64_t>(object.st_size);
}

Locator::Directory& Locator::directory(std::string_view handle) {
    const auto known = by_handle_.find(handle);
    if (known != by_handle_.end()) {
        const auto at = known->second;
        if (at->turn != turn_) directories_.splice(directories_.begin(), directories_, at);
        return *at;
    }
    if (directories_.size() >= most_) {
        by_handle_.erase(directories_.back().handle);
        directories_.pop_back();
    }
    Directory& added = directories_.emplace_front();
    added.id = next_id_++;
    added.handle = handle;
    by_handle_.emplace(added.handle, directories_.begin());
    return added;
}

// Opens it on a mount on which its path lies in one of the session's places: the host may have the file
// system at several, and only one of them is the one that the session got.
void Locator::refresh(Directory& directory) {
    bool inside = false;
    if (directory.fd && path_of(directory.fd.get(), directory.path)) {
        directory.deleted = cut_deleted(directory.fd.get(), directory.path);
        if (!directory.mount->prefix.empty())
            directory.path = directory.mount->prefix + (directory.path == "/" ? "" : directory.path);
        directory.log = log_of(directory.path, directory.mount, inside);
        if (inside) return;
    }
    open(directory, directory.handle);
}

void Locator::open(Directory& directory, std::string_view handle) {
    union {
        file_handle value;
        char bytes[sizeof(file_handle) + MAX_HANDLE_SZ];
    } copy;
    const std::string_view body = handle.substr(std::min(handle.size(), sizeof(fsid_t)));
    const bool fits = body.size() >= sizeof(file_handle) && body.size() <= sizeof copy.bytes;
    if (fits) std::memcpy(copy.bytes, body.data(), body.size());

    std::string path;
    for (const auto& mount : mounts_) {
        if (!fits || mount->file_system != file_system(handle)) continue;
        Fd fd(open_by_handle_at(mount->root.get(), &copy.value, O_PATH | O_DIRECTORY | O_CLOEXEC));
        if (!fd && errno == ESTALE && directory.mount == nullptr) directory.deleted = true;
        if (!fd || !path_of(fd.get(), path)) continue;
        const bool deleted = cut_deleted(fd.get(), path);
        if (!mount->prefix.empty()) path = mount->prefix + (path == "/" ? "" : path);
        bool inside = false;
        const unsigned log = log_of(path, mount.get(), inside);
        if (directory.mount != nullptr && !inside) continue;  // the one that it has is as good
        directory.path = path;
        directory.fd = std::move(fd);
        directory.mount = mount.get();
        directory.log = log;
        directory.deleted = deleted;
        if (inside) return;
    }
    if (directory.mount ==
        nullptr) {  // ESTALE: removed before it was looked at; or a file system nobody told of
        directory.deleted = true;
        directory.log = ~0U;
    }
}

// The object is open on the session's own mount, so that its path is the one inside.
Location Locator::locate_descriptor(int fd) {
    Location location;
    if (!path_of(fd, path_)) {
        location.log = ~0U;
        return location;
    }
    location.deleted = cut_deleted(fd, path_);
    bool inside = false;
    location.log = log_of(path_, nullptr, inside);
    const std::string_view path = path_;
    const std::size_t slash = path.rfind('/');
    location.directory = path.substr(0, std::max<std::size_t>(slash, 1));
    location.name = path.substr(slash + 1);
    location.id = std::hash<std::string_view>{}(location.directory) | 1ULL << 63;
    return location;
}

}  // namespace reeve::platform::watch
