// Opening: files by the very descriptor that was decided on, directories and their names.
#include <fcntl.h>
#include <unistd.h>

#include <algorithm>

#include "platform/linux/veil/listing.hpp"
#include "platform/linux/veil/veil.hpp"

namespace reeve::platform::veil {
namespace {

// Of the caller's flags, those that are the host's business; the kernel has done the others' work already. O_DIRECT is
// answered without a cache, since the caller's alignment is lost on the way.
constexpr int kPassedOn = O_ACCMODE | O_TRUNC | O_SYNC | O_DSYNC | O_NOATIME;
// In the flags of an open for execution; <linux/fs.h> keeps it to the kernel, FUSE passes it (measured on 6.18).
constexpr int kForExecution = 0x20;

Action action_of(int flags) {
    if ((flags & O_ACCMODE) != O_RDONLY || (flags & O_TRUNC) != 0) return Action::write;
    return (flags & kForExecution) != 0 ? Action::execute : Action::read;
}

bool reads_too(int flags) {
    return (flags & O_ACCMODE) == O_RDWR;
}

}  // namespace

OrErrno<std::unique_ptr<OpenFile>> Veil::open_object(pid_t who, Id id, const Object& object, int flags) {
    const Action action = action_of(flags);
    if (!object.fd) return std::unexpected(refuse(who, object, action, "open"));
    if (reads_too(flags) && !judge_.decide(object.path, Action::read).allowed())
        return std::unexpected(refuse(who, object, Action::read, "open"));
    const Ruling ruling = judge_.decide(object.path, action);
    if (!ruling.allowed()) return std::unexpected(refuse(who, object, action, "open"));
    auto fd = host_.reopen(object.fd->get(), flags & kPassedOn);
    if (!fd && fd.error() == EMFILE) {
        nodes_.drop_descriptors();
        fd = host_.reopen(object.fd->get(), flags & kPassedOn);
        if (!fd && fd.error() == EMFILE) fd = std::unexpected(ENFILE);  // it is not the caller's limit
    }
    const int error =
        report(who, action, ruling, "open", {.path = object.path, .error = fd ? 0 : fd.error()});
    if (error != 0) return std::unexpected(error);
    nodes_.opened(id);
    return std::make_unique<OpenFile>(std::move(*fd), id, (flags & O_DIRECT) != 0, (flags & O_APPEND) != 0);
}

OrErrno<std::unique_ptr<OpenFile>> Veil::open(pid_t who, Id id, int flags) {
    const auto object = this->object(id);
    if (!object) return std::unexpected(object.error());
    if (object->path.empty()) return std::unexpected(ESTALE);
    return open_object(who, id, *object, flags);
}

void Veil::closed(std::unique_ptr<OpenFile> file) {
    nodes_.closed(file->node);
}

// The kernel asks for this where it knows of no such name. Another may have made it in the meantime: then it is what
// was found, and decided on as such.
OrErrno<Veil::Created> Veil::create(pid_t who, Id parent, const char* name, mode_t mode, int flags) {
    const std::shared_lock lock(renames_);
    const auto spot = this->spot(parent, name);
    if (!spot) return std::unexpected(spot.error());
    if (spot->way != nullptr) return std::unexpected(EEXIST);
    const auto refused = [&](Action action, int error) {
        return std::unexpected(report(who, action, judge_.decide(spot->path, action), "open",
                                      {.path = spot->path, .error = error}));
    };
    for (const Action action : {Action::create, Action::write, Action::read}) {
        if (action == Action::write && (flags & O_ACCMODE) == O_RDONLY) continue;
        if (action == Action::read && (flags & O_ACCMODE) == O_WRONLY) continue;
        if (!judge_.decide(spot->path, action).allowed()) return refused(action, EACCES);
    }
    if (!spot->directory) return refused(Action::create, ENOENT);
    Fd fd(::openat(spot->directory->get(), name,
                   (flags & kPassedOn) | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC | O_NOCTTY, mode & 07777));
    const int made = fd ? 0 : (errno == EMFILE ? ENFILE : errno);
    const bool meanwhile = made == EEXIST && (flags & O_EXCL) == 0;
    if (!meanwhile) {
        const int error = report(who, Action::create, judge_.decide(spot->path, Action::create), "open",
                                 {.path = spot->path, .error = made});
        if (error != 0) return std::unexpected(error);
    }
    const auto found = seen_at(who, *spot, "open");
    if (!found) return std::unexpected(found.error());
    Created created{.entry = entry_of(*spot, *found), .file = {}};
    if (!meanwhile) {
        nodes_.opened(created.entry.id);
        created.file = std::make_unique<OpenFile>(std::move(fd), created.entry.id, (flags & O_DIRECT) != 0,
                                                  (flags & O_APPEND) != 0);
        return created;
    }
    OrErrno<std::unique_ptr<OpenFile>> opened = std::unexpected(EACCES);
    if (S_ISREG(found->status.st_mode)) {
        const Object object{.fd = found->fd,
                            .path = found->path,
                            .sight = found->sight,
                            .identity = identity_of(found->status)};
        opened = open_object(who, created.entry.id, object, flags);
    }
    if (!opened) {
        nodes_.forget(created.entry.id, 1);
        return std::unexpected(opened.error());
    }
    created.file = std::move(*opened);
    return created;
}

OrErrno<std::shared_ptr<Listing>> Veil::open_directory(pid_t who, Id id) {
    const auto object = this->object(id);
    if (!object) return std::unexpected(object.error());
    if (!object->directory()) return std::unexpected(ENOTDIR);
    const Ruling ruling = judge_.decide(object->path, Action::list);
    if (object->way == nullptr && !ruling.allowed())
        return std::unexpected(refuse(who, *object, Action::list, "open"));
    // A way that the host has and that may be listed; or a directory.
    Fd fd;
    int error = 0;
    if (object->fd && ruling.allowed()) {
        auto opened = host_.reopen(object->fd->get(), O_RDONLY | O_DIRECTORY);
        if (opened)
            fd = std::move(*opened);
        else
            error = opened.error();
    }
    // A way outside of the veiled trees is the veil's own, and nobody's news.
    if (object->way == nullptr || object->way->veiled)
        error = report(who, Action::list, ruling, "open",
                       {.path = object->path, .directory = true, .error = error});
    if (error != 0) return std::unexpected(error);
    return Listing::make(id, object->way, object->path, std::move(fd));
}

// Where the directory is now, and whether it may still be listed.
OrErrno<std::string> Veil::listed(const Listing& listing) const {
    if (listing.descriptor() < 0) return listing.path;
    auto path = host_.path_of(listing.descriptor());
    if (!path) return std::unexpected(path.error() == ESTALE ? ENOENT : path.error());
    if (!judge_.decide(*path, Action::list).allowed()) return std::unexpected(EACCES);
    return path;
}

// Whether the name is seen, and as what.
bool Veil::is_listed(const Listing& listing, const Listing::Item& item, const std::string& directory,
                     struct stat& kind) {
    kind.st_ino = item.inode;
    kind.st_mode = item.type;
    if (item.of == Listing::Of::self) return true;
    const Way* way = item.of == Listing::Of::way ? ways_.child(*listing.way, item.name) : nullptr;
    if (way != nullptr && exists(*way)) {
        kind = status_of(*way);
        return true;
    }
    const std::string path = join(directory, item.name);
    if (item.of == Listing::Of::host) return !look(judge_, path).hidden;
    // A way that leads nowhere on the host, or a file that a way shows: as it is there.
    const auto found = found_at({.name = {listing.id, item.name},
                                 .directory = host_.directory(directory).value_or(nullptr),
                                 .shown = true,
                                 .path = path});
    if (!found || found->sight.hidden) return false;
    kind = found->sight.shown ? found->status : kind_of(identity_of(found->status));
    return found->sight.shown || listing.descriptor() >= 0;
}

int Veil::list(Listing& listing, off_t offset, const Name& name) {
    const std::scoped_lock lock(listing.mutex);
    const auto directory = listed(listing);
    if (!directory) return directory.error();
    if (offset != listing.position) {
        listing.rewind();
        while (listing.position < offset && listing.next() != nullptr) listing.take();
    }
    while (const auto* item = listing.next()) {
        struct stat kind {};
        if (is_listed(listing, *item, *directory, kind) &&
            !name(item->name.c_str(), kind, listing.position + 1))
            break;
        listing.take();
    }
    return listing.error;
}

}  // namespace reeve::platform::veil
