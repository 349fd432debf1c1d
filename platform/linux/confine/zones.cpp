#include <fcntl.h>
#include <linux/openat2.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "platform/linux/confine/setup.hpp"
#include "platform/watch.hpp"

namespace reeve::platform::confine {
namespace {

constexpr const char* kChanged = "it changed while the session was set up";
constexpr const char* kAgain = "start the session again; if it stays, see who replaces that path";

std::uint64_t attributes_of(const Plan& plan, const Zone& zone) {
    std::uint64_t attributes = MOUNT_ATTR_NODEV;
    if (!left_out(plan, "nosuid")) attributes |= MOUNT_ATTR_NOSUID;
    if (!zone.writable && !left_out(plan, "read_only")) attributes |= MOUNT_ATTR_RDONLY;
    if (!zone.executable && !left_out(plan, "noexec")) attributes |= MOUNT_ATTR_NOEXEC;
    return attributes;
}

// The object that was decided on, or an error: never what stands under its name by now.
Result<Fd> open_zone(const Plan& plan, const Zone& zone) {
    open_how how{};
    how.flags = O_PATH | O_CLOEXEC | O_NOFOLLOW;
    how.resolve = RESOLVE_NO_SYMLINKS | RESOLVE_NO_MAGICLINKS;
    if (left_out(plan, "zone_identity")) how = {.flags = O_PATH | O_CLOEXEC, .mode = 0, .resolve = 0};
    Fd fd(static_cast<int>(::syscall(SYS_openat2, AT_FDCWD, zone.path.c_str(), &how, sizeof how)));
    if (!fd && errno == ELOOP) return error("open the zone", zone.path, kChanged, kAgain);
    if (!fd) return os_error("open the zone", zone.path, errno, kAgain);
    struct stat status {};
    if (::fstat(fd.get(), &status) != 0) return os_error("look at the zone", zone.path);
    const bool same = status.st_dev == zone.device && status.st_ino == zone.inode &&
                      S_ISDIR(status.st_mode) == zone.directory;
    if (!same && !left_out(plan, "zone_identity")) return error("open the zone", zone.path, kChanged, kAgain);
    return fd;
}

}  // namespace

Status mark(const Setup& setup, int mount, unsigned log, const std::string& path, bool& by_descriptor) {
    by_descriptor = false;
    if (log == 0 || !setup.watch) return {};
    auto marked = watch::mark_mount(setup.watch.get(), mount, log);
    if (!marked && watch::refuses_handles(marked.error()) && setup.watch_by_fd) {
        by_descriptor = true;
        marked = watch::mark_mount(setup.watch_by_fd.get(), mount, log);
    }
    if (!marked) {
        Error failed = marked.error();
        failed.on = path;
        return std::unexpected(failed);
    }
    return {};
}

// Changes in zones and veiled trees go through the keeper, which is outside of the session's Landlock domain: the
// domain itself allows none, whatever a call was taken for.
bool is_kept(const Setup& setup) {
    return setup.keeper && !left_out(setup.plan, "landlock_zones");
}

Status clone_zones(Setup& setup) {
    for (const Zone& zone : setup.plan.zones) {
        if (zone.path.size() < 2 || zone.path[0] != '/')
            return error("open the zone", zone.path, "it is not an absolute path below /");
        auto fd = open_zone(setup.plan, zone);
        if (!fd) return std::unexpected(fd.error());
        // Without AT_RECURSIVE: what the host has mounted below is not part of what was decided on.
        auto mount = clone_mount(fd->get());
        if (mount)
            if (auto set = set_mount(mount->get(), attributes_of(setup.plan, zone)); !set)
                mount = std::unexpected(set.error());
        if (!mount) {
            mount.error().on = zone.path;
            return std::unexpected(mount.error());
        }
        // Before it is moved in, so that there is no moment without the mark.
        bool by_descriptor;
        if (auto s = mark(setup, mount->get(), zone.log, zone.path, by_descriptor); !s) return s;
        setup.mounts.push_back({.path = zone.path,
                                .mount = std::move(*mount),
                                .bound = true,
                                .directory = zone.directory,
                                .changeable = zone.writable && !is_kept(setup)});
    }
    return {};
}

}  // namespace reeve::platform::confine
