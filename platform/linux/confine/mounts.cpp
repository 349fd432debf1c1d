#include <fcntl.h>
#include <linux/openat2.h>
#include <sys/mount.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "platform/linux/confine/setup.hpp"

namespace reeve::platform::confine {

Result<Fd> new_file_system(const char* type,
                           std::initializer_list<std::pair<const char*, std::string>> options,
                           std::uint64_t attributes) {
    const Fd context(::fsopen(type, FSOPEN_CLOEXEC));
    if (!context) return os_error("open the file system", type);
    for (const auto& [key, value] : options)
        if (::fsconfig(context.get(), FSCONFIG_SET_STRING, key, value.c_str(), 0) != 0)
            return os_error("set an option of the file system", std::string(type) + " " + key + "=" + value);
    if (::fsconfig(context.get(), FSCONFIG_CMD_CREATE, nullptr, nullptr, 0) != 0)
        return os_error("make the file system", type);
    Fd mount(::fsmount(context.get(), FSMOUNT_CLOEXEC, static_cast<unsigned>(attributes)));
    if (!mount) return os_error("make a mount of the file system", type);
    return mount;
}

Result<Fd> clone_mount(int fd) {
    Fd mount(::open_tree(fd, "", OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC | AT_EMPTY_PATH));
    if (!mount) return os_error("clone a mount", "");
    return mount;
}

Status set_mount(int mount, std::uint64_t attributes) {
    mount_attr attr{};
    attr.attr_set = attributes;
    // A clone of a shared mount is its peer: what is mounted below the original later would appear here too.
    attr.propagation = MS_PRIVATE;
    if (::mount_setattr(mount, "", AT_EMPTY_PATH, &attr, sizeof attr) != 0)
        return os_error("set the attributes of a mount", "");
    return {};
}

Status place_mount(int mount, int onto, const std::string& path) {
    if (::move_mount(mount, "", onto, "", MOVE_MOUNT_F_EMPTY_PATH | MOVE_MOUNT_T_EMPTY_PATH) != 0)
        return os_error("mount", path);
    return {};
}

Result<Fd> open_beneath(int mount, const std::string& relative, int flags) {
    open_how how{};
    how.flags = static_cast<std::uint64_t>(O_PATH | O_CLOEXEC | flags);
    how.resolve = RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS | RESOLVE_NO_MAGICLINKS | RESOLVE_NO_XDEV;
    const char* path = relative.empty() ? "." : relative.c_str();
    Fd fd(static_cast<int>(::syscall(SYS_openat2, mount, path, &how, sizeof how)));
    if (!fd) return os_error("open", relative);
    return fd;
}

Cover find_cover(std::vector<Placed>& mounts, const std::string& path, std::size_t count) {
    Cover best;
    std::size_t length = 0;
    for (std::size_t i = 0; i < count; ++i) {
        const std::string& base = mounts[i].path;
        const std::size_t size = base == "/" ? 0 : base.size();
        const bool covers = path.starts_with(base) && (path.size() == size || path[size] == '/');
        if (!covers || (best.mount != nullptr && size <= length)) continue;
        length = size;
        best.mount = &mounts[i];
        best.rest = path.size() > size + 1 ? path.substr(size + 1) : "";
    }
    return best;
}

}  // namespace reeve::platform::confine
