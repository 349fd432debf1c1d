// Changes of an object's attributes and length.
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "platform/linux/veil/veil.hpp"

namespace reeve::platform::veil {
namespace {

int done(int result) {
    return result == 0 ? 0 : errno;
}

int set_mode(int fd, mode_t mode) {
    return done(::chmod(Host::full_link(fd).c_str(), mode & 07777));
}

int set_owner(int fd, const Veil::Change& change) {
    return done(::fchownat(fd, "", change.uid.value_or(static_cast<uid_t>(-1)),
                           change.gid.value_or(static_cast<gid_t>(-1)), AT_EMPTY_PATH));
}

int set_times(int fd, const Veil::Change& change) {
    const struct timespec unchanged { .tv_sec = 0, .tv_nsec = UTIME_OMIT };
    const struct timespec times[2] = {change.accessed.value_or(unchanged),
                                      change.modified.value_or(unchanged)};
    return done(::utimensat(fd, "", times, AT_EMPTY_PATH));
}

int set_size(int fd, off_t size, const OpenFile* file) {
    if (file != nullptr) return done(::ftruncate(file->fd.get(), size));
    return done(::truncate(Host::full_link(fd).c_str(), size));
}

std::string_view operation_of(const Veil::Change& change) {
    if (change.size) return "truncate";
    if (change.mode) return "chmod";
    return change.uid || change.gid ? "chown" : "utimens";
}

}  // namespace

OrErrno<Veil::Entry> Veil::change(pid_t who, Id id, const Change& change, const OpenFile* file) {
    const std::shared_lock lock(renames_);
    const auto object = this->object(id);
    if (!object) return std::unexpected(object.error());
    const auto operation = operation_of(change);
    // An open file whose name is gone: it was decided on when it was opened for writing.
    const bool nameless = object->path.empty() && file != nullptr;
    const Action action = change.size ? Action::write : Action::attributes;
    if (!nameless) {
        if (object->way != nullptr) return std::unexpected(refuse(who, *object, action, operation));
        const bool more = change.mode || change.uid || change.gid;
        for (const Action each : {action, more ? Action::attributes : action})
            if (!judge_.decide(object->path, each).allowed())
                return std::unexpected(refuse(who, *object, each, operation));
    }
    const int fd = object->fd->get();
    int error = 0;
    if (change.mode) error = set_mode(fd, *change.mode);
    if (error == 0 && (change.uid || change.gid)) error = set_owner(fd, change);
    if (error == 0 && change.size) error = set_size(fd, *change.size, file);
    if (error == 0 && (change.accessed || change.modified)) error = set_times(fd, change);
    if (!nameless)
        error = report(who, action, judge_.decide(object->path, action), operation,
                       {.path = object->path, .directory = object->directory(), .error = error});
    if (error != 0) return std::unexpected(error);
    const auto status = Host::status(fd);
    if (!status) return std::unexpected(status.error());
    return Entry{.id = id, .status = *status};
}

int Veil::set_extended(pid_t who, Id id, const char* name, std::string_view value, int flags) {
    const std::shared_lock lock(renames_);
    const auto object = this->object(id);
    if (!object) return object.error();
    const Ruling ruling = judge_.decide(object->path, Action::attributes);
    if (object->way != nullptr || !ruling.allowed())
        return refuse(who, *object, Action::attributes, "setxattr");
    const int error =
        done(::setxattr(Host::full_link(object->fd->get()).c_str(), name, value.data(), value.size(), flags));
    return report(who, Action::attributes, ruling, "setxattr",
                  {.path = object->path, .directory = object->directory(), .error = error});
}

int Veil::remove_extended(pid_t who, Id id, const char* name) {
    const std::shared_lock lock(renames_);
    const auto object = this->object(id);
    if (!object) return object.error();
    const Ruling ruling = judge_.decide(object->path, Action::attributes);
    if (object->way != nullptr || !ruling.allowed())
        return refuse(who, *object, Action::attributes, "removexattr");
    const int error = done(::removexattr(Host::full_link(object->fd->get()).c_str(), name));
    return report(who, Action::attributes, ruling, "removexattr",
                  {.path = object->path, .directory = object->directory(), .error = error});
}

}  // namespace reeve::platform::veil
