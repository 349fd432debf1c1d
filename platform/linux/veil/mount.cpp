#include "platform/linux/veil/mount.hpp"

#include <fcntl.h>
#include <sys/mount.h>

#include <string>

namespace reeve::platform::veil {

Result<Mount> make_mount(uid_t uid, gid_t gid) {
    Mount made{.fuse = Fd(::open("/dev/fuse", O_RDWR | O_CLOEXEC)), .mount = {}};
    if (!made.fuse) return os_error("open", "/dev/fuse", errno, "load the kernel module fuse");
    const Fd context(::fsopen("fuse", FSOPEN_CLOEXEC));
    if (!context) return os_error("open the file system", "fuse", errno, "load the kernel module fuse");
    const std::pair<const char*, std::string> options[] = {{"source", "reeve-veil"},
                                                           {"fd", std::to_string(made.fuse.get())},
                                                           {"rootmode", "40000"},
                                                           {"user_id", std::to_string(uid)},
                                                           {"group_id", std::to_string(gid)}};
    for (const auto& [key, value] : options)
        if (::fsconfig(context.get(), FSCONFIG_SET_STRING, key, value.c_str(), 0) != 0)
            return os_error("set an option of the veil", std::string(key) + "=" + value);
    if (::fsconfig(context.get(), FSCONFIG_SET_FLAG, "allow_other", nullptr, 0) != 0)
        return os_error("set an option of the veil", "allow_other");
    if (::fsconfig(context.get(), FSCONFIG_CMD_CREATE, nullptr, nullptr, 0) != 0)
        return os_error("make the veil's file system", "fuse");
    made.mount.reset(::fsmount(context.get(), FSMOUNT_CLOEXEC, MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV));
    if (!made.mount) return os_error("make a mount of the veil", "fuse");
    return made;
}

}  // namespace reeve::platform::veil
