#include <fcntl.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "platform/linux/confine/setup.hpp"

namespace reeve::platform::confine {
namespace {

struct Device {
    const char* name;
    unsigned major, minor;  // Documentation/admin-guide/devices.txt
};
constexpr Device kDevices[] = {{"null", 1, 3},   {"zero", 1, 5},    {"full", 1, 7},
                               {"random", 1, 8}, {"urandom", 1, 9}, {"tty", 5, 0}};

constexpr std::pair<const char*, const char*> kLinks[] = {{"ptmx", "pts/ptmx"},
                                                          {"fd", "/proc/self/fd"},
                                                          {"stdin", "/proc/self/fd/0"},
                                                          {"stdout", "/proc/self/fd/1"},
                                                          {"stderr", "/proc/self/fd/2"}};

}  // namespace

Status make_devices(Setup& setup) {
    const std::uint64_t hard = MOUNT_ATTR_NOSUID | MOUNT_ATTR_NOEXEC;
    auto devices = new_file_system("tmpfs", {{"mode", "0755"}, {"size", "64k"}}, hard);
    if (!devices) return std::unexpected(devices.error());
    for (const Device& device : kDevices) {
        const dev_t number = makedev(device.major, device.minor);
        // The mode once more, since mknod() subtracts the umask.
        if (::mknodat(devices->get(), device.name, S_IFCHR | 0666, number) != 0 ||
            ::fchmodat(devices->get(), device.name, 0666, 0) != 0)
            return os_error("make the device", std::string("/dev/") + device.name, errno,
                            "reeved needs CAP_MKNOD, and leave to make these devices in its device cgroup");
    }
    for (const auto& [name, target] : kLinks)
        if (::symlinkat(target, devices->get(), name) != 0)
            return os_error("make the symbolic link", std::string("/dev/") + name);

    auto terminals = new_file_system("devpts", {{"mode", "0600"}, {"ptmxmode", "0666"}}, hard);
    if (!terminals) return std::unexpected(terminals.error());
    auto memory = new_file_system("tmpfs", {{"mode", "1777"}, {"size", "50%"}}, hard | MOUNT_ATTR_NODEV);
    if (!memory) return std::unexpected(memory.error());
    setup.pts.reset(::fcntl(terminals->get(), F_DUPFD_CLOEXEC, 0));
    if (!setup.pts) return os_error("keep", "/dev/pts");
    setup.mounts.push_back({.path = "/dev", .mount = std::move(*devices), .sealed = true});
    setup.mounts.push_back({.path = "/dev/pts", .mount = std::move(*terminals)});
    setup.mounts.push_back({.path = "/dev/shm", .mount = std::move(*memory), .changeable = true});
    return {};
}

}  // namespace reeve::platform::confine
