#include "daemon/session/plan.hpp"

#include <fcntl.h>
#include <limits.h>
#include <linux/openat2.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <optional>

#include "daemon/session/directory.hpp"
#include "platform/fd.hpp"

namespace reeve::session {
namespace {

namespace confine = platform::confine;
using platform::Fd;
using platform::os_error;
using platform::Result;

// A policy's bits go into a plan as they are.
static_assert(unsigned{policy::kLogOpens} == unsigned{confine::kLogOpens} &&
              unsigned{policy::kLogChanges} == unsigned{confine::kLogChanges} &&
              unsigned{policy::kLogExecutions} == unsigned{confine::kLogExecutions} &&
              unsigned{policy::kLogWrites} == unsigned{confine::kLogWrites});

// What stands at a path of the host now.
struct Found {
    enum class Kind { kNothing, kDirectory, kOther, kLink } kind = Kind::kNothing;
    std::uint64_t device = 0, inode = 0;
    std::string target;  // of a link
    // A folder on the way is a link: then the zone has another name, and mounting by this one would fail.
    bool through_link = false;
};

Fd open_place(const std::string& path, std::uint64_t resolve) {
    open_how how{};
    how.flags = O_PATH | O_NOFOLLOW | O_CLOEXEC;
    how.resolve = RESOLVE_NO_MAGICLINKS | resolve;
    return Fd(static_cast<int>(::syscall(SYS_openat2, AT_FDCWD, path.c_str(), &how, sizeof how)));
}

Result<Found> look(const std::string& path) {
    Fd fd = open_place(path, RESOLVE_NO_SYMLINKS);
    const bool through_link = !fd && errno == ELOOP;
    if (through_link) fd = open_place(path, 0);
    if (!fd && (errno == ENOENT || errno == ENOTDIR)) return Found{};
    if (!fd) return os_error("look at the zone", path);
    struct stat status {};
    if (::fstat(fd.get(), &status) != 0) return os_error("look at the zone", path);
    if (!S_ISLNK(status.st_mode))
        return Found{S_ISDIR(status.st_mode) ? Found::Kind::kDirectory : Found::Kind::kOther,
                     status.st_dev,
                     status.st_ino,
                     {},
                     through_link};
    char target[PATH_MAX];
    const ssize_t length = ::readlinkat(fd.get(), "", target, sizeof target);
    if (length < 0) return os_error("read the link", path);
    return Found{Found::Kind::kLink, 0, 0, std::string(target, static_cast<std::size_t>(length)),
                 through_link};
}

class Planner {
  public:
    Planner(const policy::Zones& zones, const policy::Means& means, const Person& person)
        : home_(person.home) {
        planned_.means = means;
        planned_.private_directories = {
            {.path = "/tmp", .mode = 01777, .log = 0},
            {.path = "/var/tmp", .mode = 01777, .log = 0},
            {.path = "/run", .of_person = false, .executable = false, .mode = 0755, .log = 0},
        };
        if (means.veil)
            planned_.veiled = zones.veiled;
        else
            planned_.private_directories.push_back({.path = home_, .log = 0});
    }

    platform::Status add(const policy::Zone& zone) {
        auto found = look(zone.path);
        if (!found) return std::unexpected(found.error());
        switch (found->kind) {
            case Found::Kind::kNothing:
                if (zone.state && zone.tree && zone.writable) planned_.absent_states.push_back(zone.path);
                if (zone.tightens && zone.within_writable) gap(zone.tightened_by, zone.path, kNotThere, true);
                return {};
            case Found::Kind::kLink:
                // Inside another zone, and under the veil, it is there anyway, as the link that it is.
                if (is_served(zone.path))
                    planned_.files.push_back(zone.path);
                else if (!inside_zone(zone.path))
                    planned_.links.push_back({zone.path, found->target});
                if (zone.tightens)
                    gap(zone.tightened_by, zone.path, "it is a symbolic link: a mount cannot stand there",
                        zone.within_writable);
                return {};
            case Found::Kind::kDirectory:
                if (!zone.tree) return {};  // its names would be there and nothing in them
                break;
            case Found::Kind::kOther:
                // The veil serves it: a mount would go stale when the file is saved by a rename.
                if (!is_served(zone.path)) break;
                planned_.files.push_back(zone.path);
                return {};
        }
        if (found->through_link) {
            gap(zone.rule, zone.path, "a folder on the way to it is a symbolic link", false);
            return {};
        }
        planned_.rules[zone.path] = zone.rule;
        planned_.zones.push_back({.path = zone.path,
                                  .device = found->device,
                                  .inode = found->inode,
                                  .directory = found->kind == Found::Kind::kDirectory,
                                  .writable = zone.writable,
                                  .executable = zone.executable,
                                  .log = zone.log});
        return {};
    }

    platform::Status add(const policy::Mask& mask) {
        auto found = look(mask.path);
        if (!found) return std::unexpected(found.error());
        if (found->kind == Found::Kind::kNothing) {
            if (mask.within_writable && !planned_.means.keeper_reads)
                gap(mask.rule, mask.path, kNotThere, true);
            return {};
        }
        if (!inside_zone(mask.path)) return {};  // it does not exist inside
        // What it leads to is judged by its own name.
        if (found->kind != Found::Kind::kLink) {
            planned_.masks.push_back(mask.path);
            planned_.rules[mask.path] = mask.rule;
        }
        return {};
    }

    // /bin -> usr/bin and its like, where /usr is there: every program names its loader by one of them.
    platform::Status add_merged_links() {
        for (const char* path : {"/bin", "/sbin", "/lib", "/lib32", "/lib64", "/libx32"}) {
            auto found = look(path);
            if (!found) return std::unexpected(found.error());
            if (found->kind == Found::Kind::kLink && found->target.starts_with("usr/") &&
                inside_zone("/" + found->target) && !has_link(path))
                planned_.links.push_back({path, found->target});
        }
        return {};
    }

    // What programs fill in the home on their own: there, private and gone with the session, where policy grants
    // nothing of it.
    void add_scratch() {
        if (!planned_.means.veil) return;
        for (const char* name : {".cache", ".npm", ".yarn", ".cargo/registry", ".local/state"}) {
            const std::string path = home_ + "/" + name;
            if (!inside_zone(path)) planned_.private_directories.push_back({.path = path, .log = 0});
        }
    }

    // Landlock's rule for a directory holds for what is mounted below it as well.
    void find_kept() {
        if (!planned_.means.keeper) return;
        for (auto& directory : planned_.private_directories)
            directory.kept =
                std::ranges::any_of(planned_.zones,
                                    [&](const confine::Zone& zone) {
                                        return zone.writable && is_within(zone.path, directory.path);
                                    }) ||
                std::ranges::any_of(planned_.veiled,
                                    [&](const std::string& top) { return is_within(top, directory.path); });
    }

    void gap(const std::string& rule, const std::string& pattern, const std::string& reason, bool widens) {
        planned_.gaps.push_back({rule, pattern, reason, widens});
    }

    Planned take() {
        add_scratch();
        find_kept();
        return std::move(planned_);
    }

  private:
    static constexpr const char* kNotThere =
        "it does not exist yet: a mount cannot stand there, and what makes it outside makes it readable "
        "inside";

    bool is_veiled(const std::string& path) const {
        return std::ranges::any_of(planned_.veiled,
                                   [&](const std::string& top) { return is_within(path, top); });
    }

    bool inside_zone(const std::string& path) const {
        return std::ranges::any_of(planned_.zones,
                                   [&](const confine::Zone& zone) { return is_within(path, zone.path); });
    }

    bool has_link(const std::string& path) const {
        return std::ranges::find(planned_.links, path, &confine::Symlink::path) != planned_.links.end();
    }

    // By the veil.
    bool is_served(const std::string& path) const { return is_veiled(path) && !inside_zone(path); }

    std::string home_;
    Planned planned_;
};

}  // namespace

Result<Planned> plan_of(const policy::Zones& zones, const policy::Means& means, const Person& person) {
    Planner planner(zones, means, person);
    for (const policy::Zone& zone : zones.grants)
        if (auto s = planner.add(zone); !s) return std::unexpected(s.error());
    if (auto s = planner.add_merged_links(); !s) return std::unexpected(s.error());
    for (const policy::Mask& mask : zones.masks)
        if (auto s = planner.add(mask); !s) return std::unexpected(s.error());
    for (const policy::Unenforced& rest : zones.unenforced)
        planner.gap(rest.rule, rest.pattern, rest.reason, rest.widens);
    return planner.take();
}

std::vector<access::Place> places_of(const Planned& planned) {
    using Kind = access::Place::Kind;
    std::vector<access::Place> places;
    for (const confine::Zone& zone : planned.zones)
        places.push_back(
            {.path = zone.path, .kind = zone.writable ? Kind::decided : Kind::system, .log = zone.log});
    for (const auto& directory : planned.private_directories)
        places.push_back({.path = directory.path,
                          .kind = directory.of_person ? Kind::scratch : Kind::system,
                          .continued = directory.of_person && !directory.kept});
    for (const std::string& path : planned.veiled)
        places.push_back({.path = path, .kind = Kind::veiled, .log = policy::kLogAll});
    for (const char* path : {"/dev", "/proc"})
        places.push_back({.path = path, .kind = Kind::scratch, .continued = true});
    std::ranges::sort(places, {}, &access::Place::path);
    return places;
}

std::string widening(const std::vector<Gap>& gaps) {
    std::string lines;
    for (const Gap& gap : gaps)
        if (gap.widens)
            lines += (lines.empty() ? "" : "\n") + gap.rule + ": " + gap.pattern + ": " + gap.reason;
    return lines;
}

}  // namespace reeve::session
