// What a session sees: names, attributes, links.
#include <fcntl.h>
#include <sys/xattr.h>
#include <time.h>
#include <unistd.h>

#include <algorithm>
#include <array>

#include "platform/linux/veil/veil.hpp"

namespace reeve::platform::veil {
namespace {

// Numbers of ways as inodes, away from those that file systems give.
constexpr ino_t kWayInode = 1ULL << 62;

// What ls and its like ask of every file that they list; an answer of "none" is part of a file's mere look.
constexpr std::array<std::string_view, 4> kAskedByListers = {
    "security.selinux", "security.capability", "system.posix_acl_access", "system.posix_acl_default"};

}  // namespace

Veil::Veil(Judge& judge, Host host, Options options)
    : judge_(judge),
      host_(std::move(host)),
      options_(std::move(options)),
      ways_(options_.layout),
      nodes_(ways_.last() + 1, options_.descriptors) {
    ::clock_gettime(CLOCK_REALTIME, &made_);
}

int Veil::report(pid_t who, Action action, const Ruling& ruling, std::string_view operation,
                 const Attempt& rest) {
    Attempt attempt = rest;
    attempt.thread = who;
    attempt.action = action;
    attempt.ruling = ruling;
    attempt.operation = operation;
    return judge_.report(attempt) ? attempt.error : EIO;
}

int Veil::refuse(pid_t who, const Object& object, Action action, std::string_view operation, bool touched) {
    return report(
        who, action, judge_.decide(object.path, action), operation,
        {.path = object.path, .directory = object.directory(), .touched = touched, .error = EACCES});
}

// --- which object

OrErrno<FdRef> Veil::descriptor(Id id) {
    if (const Way* way = ways_.find(id)) return host_.directory(way->path);
    const auto node = nodes_.find(id);
    if (!node) return std::unexpected(ESTALE);
    return descriptor_of(id, *node);
}

// Where the node has none, its name is opened again; ESTALE, upon which the kernel looks the name up anew, if that is
// another object by now.
OrErrno<FdRef> Veil::descriptor_of(Id id, const NodeTable::Node& node) {
    if (node.fd) return node.fd;
    const auto parent = descriptor(node.name.parent);
    if (!parent) return std::unexpected(ESTALE);
    auto fd = Host::child((*parent)->get(), node.name.name.c_str());
    if (!fd) return std::unexpected(ESTALE);
    const auto status = Host::status((*fd)->get());
    if (!status || identity_of(*status) != node.identity) return std::unexpected(ESTALE);
    nodes_.keep(id, *fd);
    return *fd;
}

OrErrno<Veil::Object> Veil::object(Id id) {
    if (const Way* way = ways_.find(id)) {
        Object object{
            .way = way, .fd = {}, .path = way->path, .sight = look(judge_, way->path), .identity = {}};
        object.identity.type = way->kind == Way::Kind::canary ? S_IFREG : S_IFDIR;
        if (way->veiled && way->kind != Way::Kind::canary)
            object.fd = host_.directory(way->path).value_or(nullptr);
        return object;
    }
    const auto node = nodes_.find(id);
    if (!node) return std::unexpected(ESTALE);
    auto fd = descriptor_of(id, *node);
    if (!fd) return std::unexpected(fd.error());
    Object object{.fd = std::move(*fd), .path = {}, .sight = {}, .identity = node->identity};
    auto path = host_.path_of(object.fd->get());
    if (path) {
        object.path = std::move(*path);
        object.sight = look(judge_, object.path);
    } else if (path.error() == ESTALE) {
        object.sight.shown = node->shown;  // whoever has it open still sees it as it was
    } else {
        return std::unexpected(path.error());
    }
    return object;
}

OrErrno<Veil::Spot> Veil::spot(Id parent, const char* name) {
    Spot spot{.name = {parent, name}, .directory = {}, .path = {}};
    if (const Way* way = ways_.find(parent)) {
        if (way->kind == Way::Kind::canary) return std::unexpected(ENOTDIR);
        spot.way = ways_.child(*way, name);
        // Where the host has no directory for it, the name is one like any other.
        if (spot.way != nullptr && !exists(*spot.way)) spot.way = nullptr;
        spot.path = join(way->path, name);
        spot.shown = true;
        if (way->veiled) spot.directory = host_.directory(way->path).value_or(nullptr);
        return spot;
    }
    auto object = this->object(parent);
    if (!object) return std::unexpected(object.error());
    if (object->path.empty()) return std::unexpected(ENOENT);  // nothing is made in a removed directory
    spot.directory = std::move(object->fd);
    spot.path = join(object->path, name);
    spot.shown = object->sight.shown;
    return spot;
}

OrErrno<Veil::Found> Veil::found_at(const Spot& spot) {
    if (!spot.directory) return std::unexpected(ENOENT);
    auto fd = Host::child(spot.directory->get(), spot.name.name.c_str());
    if (!fd && (fd.error() == EMFILE || fd.error() == ENFILE)) {
        nodes_.drop_descriptors();
        fd = Host::child(spot.directory->get(), spot.name.name.c_str());
        if (!fd && fd.error() == EMFILE) return std::unexpected(ENFILE);  // it is not the caller's limit
    }
    if (!fd) return std::unexpected(fd.error());
    auto path = host_.path_of((*fd)->get());
    if (!path) return std::unexpected(path.error() == ESTALE ? ENOENT : path.error());
    const auto status = Host::status((*fd)->get());
    if (!status) return std::unexpected(status.error());
    Found found{.fd = std::move(*fd), .status = *status, .path = std::move(*path), .sight = {}};
    found.sight = look(judge_, found.path);
    return found;
}

// What a session finds at a name, with a report of what it does not. In a denied directory there is nothing but what is
// allowed itself; whether there is anything else is not to be told.
OrErrno<Veil::Found> Veil::seen_at(pid_t who, const Spot& spot, std::string_view operation) {
    const Sight expected = look(judge_, spot.path);
    if (!spot.shown && !expected.shown)
        return std::unexpected(
            report(who, Action::read, expected.reading, operation, {.path = spot.path, .error = EACCES}));
    auto found = found_at(spot);
    if (!found) {
        const bool news =
            !expected.shown && expected.reading.by_rule && expected.reading.verdict == Ruling::Verdict::deny;
        if (!news) return found;
        return std::unexpected(report(who, Action::read, expected.reading, operation,
                                      {.path = spot.path, .error = found.error()}));
    }
    const bool directory = S_ISDIR(found->status.st_mode);
    if (!spot.shown && !found->sight.shown)
        return std::unexpected(report(who, Action::read, found->sight.reading, operation,
                                      {.path = found->path, .directory = directory, .error = EACCES}));
    if (found->sight.hidden)
        return std::unexpected(report(who, Action::read, found->sight.reading, operation,
                                      {.path = found->path, .directory = directory, .error = ENOENT}));
    return found;
}

// --- how it looks

bool Veil::exists(const Way& way) const {
    return way.kind != Way::Kind::host || host_.directory(way.path).has_value();
}

struct stat Veil::status_of(const Way& way) const {
    struct stat status {};
    const bool canary = way.kind == Way::Kind::canary;
    status.st_ino = kWayInode | way.id;
    status.st_mode = canary ? S_IFREG | 0600 : S_IFDIR | 0755;
    status.st_nlink = canary ? 1 : 2;
    status.st_uid = options_.uid;
    status.st_gid = options_.gid;
    status.st_blksize = 4096;
    status.st_atim = status.st_mtim = status.st_ctim = made_;
    return status;
}

struct stat Veil::kind_of(const Identity& identity) const {
    struct stat status {};
    status.st_ino = identity.inode;
    status.st_mode = identity.type;
    status.st_nlink = 1;
    status.st_uid = options_.uid;
    status.st_gid = options_.gid;
    status.st_blksize = 4096;
    return status;
}

OrErrno<Veil::Entry> Veil::entry_of(const Way& way) const {
    if (!exists(way)) return std::unexpected(ENOENT);  // it was there a moment ago
    return Entry{.id = way.id, .status = status_of(way), .constant = way.kind == Way::Kind::directory};
}

Veil::Entry Veil::entry_of(const Spot& spot, const Found& found) {
    const Identity identity = identity_of(found.status);
    return {.id = nodes_.remember(spot.name, identity, found.fd, found.sight.shown),
            .status = found.sight.shown ? found.status : kind_of(identity)};
}

OrErrno<Veil::Entry> Veil::lookup(pid_t who, Id parent, const char* name) {
    const auto spot = this->spot(parent, name);
    if (!spot) return std::unexpected(spot.error());
    if (spot->way != nullptr) return entry_of(*spot->way);
    const auto found = seen_at(who, *spot, "lookup");
    if (!found) return std::unexpected(found.error());
    return entry_of(*spot, *found);
}

void Veil::forget(Id id, std::uint64_t times) {
    if (ways_.find(id) == nullptr) nodes_.forget(id, times);
}

// A report where less is shown than there is. Who sees a denied name's kind has not touched it yet.
OrErrno<Veil::Entry> Veil::attributes(pid_t who, Id id) {
    const auto object = this->object(id);
    if (!object) return std::unexpected(object.error());
    const bool canary = object->way != nullptr && object->way->kind == Way::Kind::canary;
    if (object->way != nullptr && !canary) return entry_of(*object->way);
    if (!canary && object->sight.shown) {
        const auto status = Host::status(object->fd->get());
        if (!status) return std::unexpected(status.error());
        return Entry{.id = id, .status = *status};
    }
    const int error = report(who, Action::read, object->sight.reading, "stat",
                             {.path = object->path, .directory = object->directory(), .touched = false});
    if (error != 0) return std::unexpected(error);
    if (canary) return entry_of(*object->way);
    if (object->sight.hidden) return std::unexpected(ENOENT);  // it was moved there since it was looked up
    return Entry{.id = id, .status = kind_of(object->identity)};
}

OrErrno<std::string> Veil::read_link(pid_t who, Id id) {
    const auto object = this->object(id);
    if (!object) return std::unexpected(object.error());
    if (object->way != nullptr) return std::unexpected(EINVAL);
    if (!judge_.decide(object->path, Action::read).allowed())
        return std::unexpected(refuse(who, *object, Action::read, "readlink"));
    char target[PATH_MAX];
    const ssize_t size = ::readlinkat(object->fd->get(), "", target, sizeof target);
    if (size < 0) return std::unexpected(errno);
    return std::string(target, static_cast<std::size_t>(size));
}

int Veil::access(pid_t who, Id id, int mask) {
    const auto object = this->object(id);
    if (!object) return object.error();
    const bool way = object->way != nullptr && object->way->kind != Way::Kind::canary;
    const bool canary = object->way != nullptr && !way;
    if (!way && (canary || !object->sight.shown)) {
        if (mask == F_OK) {
            return report(who, Action::read, object->sight.reading, "access",
                          {.path = object->path, .directory = object->directory(), .touched = false});
        }
        return refuse(who, *object, (mask & W_OK) != 0 ? Action::write : Action::read, "access");
    }
    if ((mask & W_OK) != 0 && !judge_.decide(object->path, Action::write).allowed())
        return refuse(who, *object, Action::write, "access");
    if (way) return 0;
    const Action reading = object->directory() ? Action::list : Action::read;
    if ((mask & R_OK) != 0 && !judge_.decide(object->path, reading).allowed())
        return refuse(who, *object, reading, "access");
    if ((mask & X_OK) != 0 && !object->directory() && !judge_.decide(object->path, Action::execute).allowed())
        return refuse(who, *object, Action::execute, "access");
    return ::faccessat(host_.links(), Host::link(object->fd->get()).c_str(), mask, 0) == 0 ? 0 : errno;
}

OrErrno<struct statvfs> Veil::statistics() const {
    const auto home = host_.directory(options_.home);
    if (!home) return std::unexpected(home.error());
    struct statvfs statistics {};
    if (::fstatvfs((*home)->get(), &statistics) != 0) return std::unexpected(errno);
    return statistics;
}

OrErrno<std::string> Veil::extended(pid_t who, Id id, const char* name) {
    const auto object = this->object(id);
    if (!object) return std::unexpected(object.error());
    const bool way = object->way != nullptr && object->way->kind != Way::Kind::canary;
    const bool asked_by_listers = std::ranges::find(kAskedByListers, name) != kAskedByListers.end();
    if (!way && !(object->fd && object->sight.shown) && !asked_by_listers)
        return std::unexpected(refuse(who, *object, Action::read, "getxattr"));
    if (way || !object->fd || !object->sight.shown) return std::unexpected(ENODATA);
    std::string value(XATTR_SIZE_MAX, '\0');
    const auto size =
        ::getxattr(Host::full_link(object->fd->get()).c_str(), name, value.data(), value.size());
    if (size < 0) return std::unexpected(errno);
    value.resize(static_cast<std::size_t>(size));
    return value;
}

OrErrno<std::string> Veil::extended_names(pid_t, Id id) {
    const auto object = this->object(id);
    if (!object) return std::unexpected(object.error());
    if (object->way != nullptr || !object->sight.shown) return std::string();
    std::string names(XATTR_LIST_MAX, '\0');
    const auto size = ::listxattr(Host::full_link(object->fd->get()).c_str(), names.data(), names.size());
    if (size < 0) return std::unexpected(errno);
    names.resize(static_cast<std::size_t>(size));
    return names;
}

}  // namespace reeve::platform::veil
