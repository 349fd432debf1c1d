// Changes of the tree: decided at the path of the name, done on the directory's descriptor.
#include <fcntl.h>
#include <linux/fs.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "platform/linux/veil/veil.hpp"

namespace reeve::platform::veil {

// The report of something that was to be made, and what is there now.
OrErrno<Veil::Entry> Veil::made(pid_t who, const Spot& spot, const Ruling& ruling, const Attempt& attempt) {
    const int error = report(who, attempt.action, ruling, attempt.operation, attempt);
    if (error != 0) return std::unexpected(error);
    const auto found = seen_at(who, spot, "lookup");
    if (!found) return std::unexpected(found.error());
    return entry_of(spot, *found);
}

namespace {

// Makes something at a spot if that is allowed; gives the errno.
template <class Spot, class Make>
int make_at(const Spot& spot, const Ruling& ruling, Make make) {
    if (spot.way != nullptr) return EEXIST;
    if (!ruling.allowed()) return EACCES;
    if (!spot.directory) return ENOENT;
    return make(spot.directory->get(), spot.name.name.c_str()) == 0 ? 0 : errno;
}

}  // namespace

OrErrno<Veil::Entry> Veil::make_directory(pid_t who, Id parent, const char* name, mode_t mode) {
    const std::shared_lock lock(renames_);
    const auto spot = this->spot(parent, name);
    if (!spot) return std::unexpected(spot.error());
    const Ruling ruling = judge_.decide(spot->path, Action::create);
    const int error = make_at(*spot, ruling, [&](int at, const char* n) { return ::mkdirat(at, n, mode); });
    return made(who, *spot, ruling,
                {.action = Action::create,
                 .operation = "mkdir",
                 .path = spot->path,
                 .directory = true,
                 .error = error});
}

OrErrno<Veil::Entry> Veil::make_node(pid_t who, Id parent, const char* name, mode_t mode, dev_t device) {
    const std::shared_lock lock(renames_);
    const auto spot = this->spot(parent, name);
    if (!spot) return std::unexpected(spot.error());
    const Ruling ruling = judge_.decide(spot->path, Action::create);
    const int error =
        make_at(*spot, ruling, [&](int at, const char* n) { return ::mknodat(at, n, mode, device); });
    return made(who, *spot, ruling,
                {.action = Action::create, .operation = "mknod", .path = spot->path, .error = error});
}

OrErrno<Veil::Entry> Veil::make_symlink(pid_t who, Id parent, const char* name, const char* target) {
    const std::shared_lock lock(renames_);
    const auto spot = this->spot(parent, name);
    if (!spot) return std::unexpected(spot.error());
    Ruling ruling = judge_.decide(spot->path, Action::create);
    if (ruling.allowed() && is_spoken_of(judge_, spot->path)) ruling = {};
    const int error =
        make_at(*spot, ruling, [&](int at, const char* n) { return ::symlinkat(target, at, n); });
    return made(who, *spot, ruling,
                {.action = Action::create,
                 .operation = "symlink",
                 .path = spot->path,
                 .target = target,
                 .error = error});
}

int Veil::remove(pid_t who, Id parent, const char* name, bool directory) {
    const std::shared_lock lock(renames_);
    const std::string_view operation = directory ? "rmdir" : "unlink";
    const auto spot = this->spot(parent, name);
    if (!spot) return spot.error();
    if (spot->way != nullptr) {
        // A mount point, or on the way to one; a canary is a denied file.
        const bool canary = spot->way->kind == Way::Kind::canary;
        return report(who, Action::remove, judge_.decide(spot->path, canary ? Action::read : Action::remove),
                      operation,
                      {.path = spot->path, .directory = directory, .error = canary ? EACCES : EBUSY});
    }
    const auto found = seen_at(who, *spot, operation);
    if (!found) return found.error();
    const Ruling ruling = judge_.decide(found->path, Action::remove);
    int error = EACCES;
    if (ruling.allowed())
        error = ::unlinkat(spot->directory->get(), name, directory ? AT_REMOVEDIR : 0) == 0 ? 0 : errno;
    if (error == 0) nodes_.removed(spot->name);
    return report(who, Action::remove, ruling, operation,
                  {.path = found->path, .directory = directory, .error = error});
}

// --- rename and link. Allowed only if nothing that is denied or asked at either path is gained: else EXDEV, upon which
// programs copy, and each file is decided on. A directory brings its names along: all below must be decided alike.

int Veil::move(const Spot& from, const Spot& to, unsigned flags) {
    if (!from.directory || !to.directory) return ENOENT;
    if (::renameat2(from.directory->get(), from.name.name.c_str(), to.directory->get(), to.name.name.c_str(),
                    flags) != 0)
        return errno;
    if ((flags & RENAME_EXCHANGE) != 0) {
        nodes_.exchanged(from.name, to.name);
    } else {
        nodes_.moved(from.name, to.name);
    }
    return 0;
}

// Why it must not happen, or 0. Sets what the report says.
int Veil::rename_refused(const Spot& from, const Found& found, const Spot& to, unsigned flags,
                         Attempt& attempt) {
    const bool exchange = (flags & RENAME_EXCHANGE) != 0;
    const auto there = found_at(to);
    const auto denied = [&](const std::string& path, Action action) {
        const Ruling ruling = judge_.decide(path, action);
        if (!ruling.allowed()) attempt.ruling = ruling;
        return !ruling.allowed();
    };
    if (denied(from.path, Action::rename) || denied(to.path, Action::rename)) return EACCES;
    if (!exchange && denied(to.path, Action::create)) return EACCES;
    if (there && !exchange && denied(to.path, Action::remove)) return EACCES;
    const bool leads = S_ISLNK(found.status.st_mode) && is_spoken_of(judge_, to.path);
    const bool leads_back =
        exchange && there && S_ISLNK(there->status.st_mode) && is_spoken_of(judge_, from.path);
    if (leads || leads_back) {
        attempt.ruling = {};
        return EACCES;
    }
    if (gains(judge_, from.path, to.path) || (exchange && gains(judge_, to.path, from.path))) return EXDEV;
    const bool tree = attempt.directory || (exchange && there && S_ISDIR(there->status.st_mode));
    return tree && !judge_.same_below(from.path, to.path) ? EXDEV : 0;
}

int Veil::rename(pid_t who, Id parent, const char* name, Id new_parent, const char* new_name,
                 unsigned flags) {
    if ((flags & ~static_cast<unsigned>(RENAME_NOREPLACE | RENAME_EXCHANGE)) != 0) return EINVAL;
    const std::unique_lock lock(renames_);
    const auto from = spot(parent, name);
    const auto to = spot(new_parent, new_name);
    if (!from || !to) return !from ? from.error() : to.error();
    Attempt attempt{.ruling = judge_.decide(to->path, Action::rename),
                    .operation = {},
                    .path = from->path,
                    .target = to->path};
    if (from->way != nullptr || to->way != nullptr) {
        attempt.error = EBUSY;
        for (const Spot* spot : {&*from, &*to}) {
            if (spot->way == nullptr || spot->way->kind != Way::Kind::canary) continue;
            attempt.ruling = judge_.decide(spot->path, Action::read);
            attempt.error = EACCES;
        }
    } else {
        const auto found = seen_at(who, *from, "rename");
        if (!found) return found.error();
        attempt.directory = S_ISDIR(found->status.st_mode);
        attempt.error = rename_refused(*from, *found, *to, flags, attempt);
        if (attempt.error == 0) attempt.error = move(*from, *to, flags);
    }
    return report(who, Action::rename, attempt.ruling, "rename", attempt);
}

OrErrno<Veil::Entry> Veil::link(pid_t who, Id id, Id parent, const char* name) {
    const std::unique_lock lock(renames_);
    const auto object = this->object(id);
    if (!object) return std::unexpected(object.error());
    const auto spot = this->spot(parent, name);
    if (!spot) return std::unexpected(spot.error());
    Attempt attempt{.action = Action::link, .operation = "link", .path = object->path, .target = spot->path};
    Ruling ruling = judge_.decide(object->path, Action::link);
    if (ruling.allowed()) ruling = judge_.decide(spot->path, Action::link);
    if (ruling.allowed()) ruling = judge_.decide(spot->path, Action::create);
    if (ruling.allowed() && S_ISLNK(object->identity.type) && is_spoken_of(judge_, spot->path)) ruling = {};
    if (spot->way != nullptr) {
        attempt.error = EEXIST;
    } else if (!ruling.allowed() || object->way != nullptr || object->path.empty()) {
        attempt.error = EACCES;
    } else if (gains(judge_, object->path, spot->path) || gains(judge_, spot->path, object->path)) {
        attempt.error = EXDEV;  // the object has both names
    } else if (!spot->directory) {
        attempt.error = ENOENT;
    } else if (::linkat(host_.links(), Host::link(object->fd->get()).c_str(), spot->directory->get(), name,
                        AT_SYMLINK_FOLLOW) != 0) {
        attempt.error = errno;
    }
    return made(who, *spot, ruling, attempt);
}

}  // namespace reeve::platform::veil
