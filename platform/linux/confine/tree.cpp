// The session's tree: a root of its own, private directories, and the zones, put together and made the root.
#include <fcntl.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>

#include "platform/linux/confine/setup.hpp"
#include "platform/linux/confine/wire.hpp"
#include "platform/linux/seqpacket.hpp"

namespace reeve::platform::confine {
namespace {

constexpr std::uint64_t kGibibyte = 1ULL << 30;

std::uint64_t size_of(const Plan& plan, const PrivateDirectory& directory) {
    if (directory.size != 0) return directory.size;
    return plan.limits.memory != 0 ? plan.limits.memory / 2 : kGibibyte;
}

std::string octal(unsigned mode) {
    char text[16];
    std::snprintf(text, sizeof text, "%o", mode & 01777);
    return text;
}

// Makes the directories of `rest` below the root of `cover`, each only where it is not there yet, and the
// last one as a file where `directory` is false. `cover` is a file system of ours, so nothing of the person's
// tree is touched.
Status make_mount_point(const Setup& setup, const Placed& cover, const std::string& rest, bool directory) {
    auto at = open_beneath(cover.mount.get(), "", O_DIRECTORY);
    if (!at) return std::unexpected(at.error());
    std::size_t begin = 0;
    while (begin <= rest.size()) {
        const std::size_t end = std::min(rest.find('/', begin), rest.size());
        const std::string name = rest.substr(begin, end - begin);
        const bool last = end == rest.size();
        const bool as_file = last && !directory;
        const int made = as_file ? ::mknodat(at->get(), name.c_str(), S_IFREG | 0600, 0)
                                 : ::mkdirat(at->get(), name.c_str(), 0755);
        if (made != 0 && errno != EEXIST) return os_error("make the mount point", cover.path + "/" + rest);
        if (made == 0 && cover.of_person &&
            ::fchownat(at->get(), name.c_str(), setup.plan.person.uid, setup.plan.person.gid,
                       AT_SYMLINK_NOFOLLOW))
            return os_error("give the mount point to the person", cover.path + "/" + rest);
        if (last) return {};
        auto next = open_beneath(at->get(), name, O_DIRECTORY);
        if (!next) return std::unexpected(next.error());
        at = std::move(next);
        begin = end + 1;
    }
    return {};
}

Status place(Setup& setup, std::size_t index) {
    Placed& mount = setup.mounts[index];
    const Cover cover = find_cover(setup.mounts, mount.path, index);
    if (cover.mount == nullptr || cover.rest.empty())
        return error("mount", mount.path, "the plan has something at that place twice");
    if (!cover.mount->bound)
        if (auto s = make_mount_point(setup, *cover.mount, cover.rest, mount.directory); !s) return s;
    auto onto = open_beneath(cover.mount->mount.get(), cover.rest);
    if (!onto && cover.mount->bound)
        return os_error(
            "find the mount point", mount.path, onto.error().code,
            "nothing is made inside " + cover.mount->path + ", which is the host's: make it there");
    if (!onto) return std::unexpected(onto.error());
    return place_mount(mount.mount.get(), onto->get(), mount.path);
}

Status make_link(Setup& setup, const Symlink& link) {
    const Cover cover = find_cover(setup.mounts, link.path, setup.mounts.size());
    if (cover.mount == nullptr || cover.rest.empty() || cover.mount->bound)
        return error("make the symbolic link", link.path, "it is not in a private place");
    const std::size_t slash = cover.rest.rfind('/');
    if (slash != std::string::npos)
        if (auto s = make_mount_point(setup, *cover.mount, cover.rest.substr(0, slash), true); !s) return s;
    auto parent =
        open_beneath(cover.mount->mount.get(), slash == std::string::npos ? "" : cover.rest.substr(0, slash));
    if (!parent) return std::unexpected(parent.error());
    const std::string name = slash == std::string::npos ? cover.rest : cover.rest.substr(slash + 1);
    if (::symlinkat(link.target.c_str(), parent->get(), name.c_str()) != 0)
        return os_error("make the symbolic link", link.path);
    return {};
}

// What stands over masked paths, `name` in the root, as a mount that is in no place yet.
Result<Fd> empty_mount(int root, const char* name) {
    auto empty = open_beneath(root, name);
    if (!empty) return empty;
    auto mount = clone_mount(empty->get());
    if (mount)
        if (auto s = set_mount(mount->get(), MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOEXEC); !s)
            return std::unexpected(s.error());
    return mount;
}

}  // namespace

Status mark(const Setup& setup, int mount, unsigned log, const std::string& path, bool& by_descriptor);

Status leave_host_mounts(Setup&) {
    if (::unshare(CLONE_NEWNS) != 0) return os_error("make a mount namespace", "");
    mount_attr attr{};
    attr.propagation = MS_PRIVATE;
    if (::mount_setattr(AT_FDCWD, "/", AT_RECURSIVE, &attr, sizeof attr) != 0)
        return os_error("part from the host's mounts", "/");
    return {};
}

Status make_root(Setup& setup) {
    auto root =
        new_file_system("tmpfs", {{"mode", "0755"}, {"size", "1m"}}, MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV);
    if (!root) return std::unexpected(root.error());
    Fd host(::open("/", O_PATH | O_DIRECTORY | O_CLOEXEC));
    if (!host) return os_error("open", "/");
    if (auto s = place_mount(root->get(), host.get(), "/"); !s) return s;
    Fd second(::fcntl(root->get(), F_DUPFD_CLOEXEC, 0));
    if (!second) return os_error("keep the root", "");
    setup.mounts.push_back({.path = "/", .mount = std::move(second), .sealed = true});
    setup.root = std::move(*root);
    return {};
}

Status make_private_directories(Setup& setup) {
    for (const PrivateDirectory& directory : setup.plan.private_directories) {
        const Person& person = setup.plan.person;
        std::uint64_t attributes = MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV;
        if (!directory.executable) attributes |= MOUNT_ATTR_NOEXEC;
        auto mount = new_file_system("tmpfs",
                                     {{"mode", octal(directory.mode)},
                                      {"size", std::to_string(size_of(setup.plan, directory))},
                                      {"uid", std::to_string(directory.of_person ? person.uid : 0)},
                                      {"gid", std::to_string(directory.of_person ? person.gid : 0)}},
                                     attributes);
        if (!mount) {
            mount.error().on = directory.path;
            return std::unexpected(mount.error());
        }
        setup.mounts.push_back({.path = directory.path,
                                .mount = std::move(*mount),
                                .changeable = directory.of_person && !(directory.kept && is_kept(setup)),
                                .sealed = !directory.of_person,
                                .of_person = directory.of_person});
    }
    return {};
}

// The veil is one file system for all of its trees, and a mount can be cloned only where it stands in the tree of
// mounts (before Linux 6.15): it stands in the new root for a moment.
Status take_veil(Setup& setup) {
    if (setup.plan.veiled.empty()) return {};
    if (!setup.veil)
        return error("take the veil", setup.plan.session, "the plan has veiled trees and no veil");
    constexpr const char* kName = ".veil";
    if (::mkdirat(setup.root.get(), kName, 0) != 0) return os_error("make the veil's place", "");
    auto onto = open_beneath(setup.root.get(), kName);
    if (!onto) return std::unexpected(onto.error());
    if (auto s = place_mount(setup.veil.get(), onto->get(), "the veil"); !s) return s;
    for (const std::string& path : setup.plan.veiled) {
        auto tree = open_beneath(setup.veil.get(), path.substr(1), O_DIRECTORY);
        if (!tree)
            return os_error("open the veil's tree", path, tree.error().code,
                            "reeve-veil did not serve it: see its log");
        auto mount = clone_mount(tree->get());
        if (!mount) return std::unexpected(mount.error());
        if (auto s = set_mount(mount->get(), MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV); !s) return s;
        // Its directories on the way to zones are there: nothing is made in it.
        setup.mounts.push_back(
            {.path = path, .mount = std::move(*mount), .bound = true, .changeable = !is_kept(setup)});
    }
    if (::fchdir(setup.veil.get()) != 0 || ::umount2(".", MNT_DETACH) != 0 ||
        ::fchdir(setup.root.get()) != 0 || ::unlinkat(setup.root.get(), kName, AT_REMOVEDIR) != 0)
        return os_error("take the veil from its first place", "");
    setup.veil.reset();
    return {};
}

Status put_in_place(Setup& setup) {
    // By path, so that what contains comes before what is contained; the root is first.
    std::sort(setup.mounts.begin(), setup.mounts.end(),
              [](const Placed& a, const Placed& b) { return a.path < b.path; });
    for (std::size_t i = 1; i < setup.mounts.size(); ++i)
        if (auto s = place(setup, i); !s) return s;
    for (const Symlink& link : setup.plan.links)
        if (auto s = make_link(setup, link); !s) return s;
    return {};
}

Status mask_paths(Setup& setup) {
    std::vector<std::string> paths = setup.plan.masks;
    // Of the machine's, and readable or writable to others than root on some kernel.
    for (const char* name : {"acpi", "interrupts", "kallsyms", "kcore", "key-users", "keys", "kmsg",
                             "sched_debug", "scsi", "sysrq-trigger", "timer_list"})
        if (::faccessat(setup.proc.get(), name, F_OK, AT_SYMLINK_NOFOLLOW) == 0)
            paths.push_back(std::string("/proc/") + name);
    if (left_out(setup.plan, "masks")) return {};
    // One empty file and one empty directory that nobody may open, bound over each, and then unlinked: the
    // mounts hold them. Each mount but the first is a clone of the first, whose attributes it has.
    Fd first[2];
    const int root = setup.root.get();
    if (::mknodat(root, ".masked", S_IFREG, 0) != 0 || ::mkdirat(root, ".masked.d", 0) != 0)
        return os_error("make what stands over masked paths", "");
    for (const std::string& path : paths) {
        const Cover cover = find_cover(setup.mounts, path, setup.mounts.size());
        if (cover.mount == nullptr || cover.rest.empty())
            return error("mask", path, "it is not inside a zone or private directory");
        auto onto = open_beneath(cover.mount->mount.get(), cover.rest);
        struct stat status {};
        if (!onto || ::fstat(onto->get(), &status) != 0)
            return os_error("mask", path, onto ? errno : onto.error().code,
                            "it was there when the plan was made: start the session again");
        Fd& like = first[S_ISDIR(status.st_mode) ? 1 : 0];
        auto mount = like ? clone_mount(like.get())
                          : empty_mount(root, S_ISDIR(status.st_mode) ? ".masked.d" : ".masked");
        if (!mount) return std::unexpected(mount.error());
        if (auto s = place_mount(mount->get(), onto->get(), path); !s) return s;
        if (!like) like = std::move(*mount);
    }
    ::unlinkat(root, ".masked", 0);
    ::unlinkat(root, ".masked.d", AT_REMOVEDIR);
    return {};
}

Status change_root(Setup& setup) {
    if (::fchdir(setup.root.get()) != 0) return os_error("enter the new root", "");
    // pivot_root(2), NOTES: with "." twice the old root comes to lie on top of the new one, and is taken off.
    if (::syscall(SYS_pivot_root, ".", ".") != 0) return os_error("make it the root", "");
    if (::umount2(".", MNT_DETACH) != 0) return os_error("leave the host's root", "");
    if (::chdir("/") != 0) return os_error("enter", "/");
    for (const Placed& mount : setup.mounts)
        if (mount.sealed && !left_out(setup.plan, "sealed_root"))
            if (auto s = set_mount(mount.mount.get(), MOUNT_ATTR_RDONLY); !s) return s;
    return {};
}

// The mark comes before anything of the session runs; the clone for reeved can only be made of a mount that
// is in its place (before Linux 6.15), so both are here.
Status report_private_mounts(Setup& setup) {
    for (const PrivateDirectory& directory : setup.plan.private_directories) {
        if (directory.log == 0 || !setup.watch) continue;
        const Cover cover = find_cover(setup.mounts, directory.path, setup.mounts.size());
        bool by_descriptor;
        if (auto s = mark(setup, cover.mount->mount.get(), directory.log, directory.path, by_descriptor); !s)
            return s;
        auto clone = clone_mount(cover.mount->mount.get());
        if (!clone) return std::unexpected(clone.error());
        const int fd = clone->get();
        if (auto s = send_packet(setup.link.get(),
                                 wire::packet(wire::Kind::kMounted, directory.path, by_descriptor),
                                 std::span(&fd, 1));
            !s)
            return s;
    }
    return {};
}

}  // namespace reeve::platform::confine
