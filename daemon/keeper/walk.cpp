#include "daemon/keeper/walk.hpp"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/magic.h>
#include <linux/openat2.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

namespace reeve::keeper {
namespace {

using platform::Fd;

constexpr int kMostLinks = 40;  // MAXSYMLINKS

bool is_proc(int fd) {
    struct statfs system {};
    return ::fstatfs(fd, &system) == 0 && system.f_type == PROC_SUPER_MAGIC;
}

bool is_root_of_proc(int fd) {
    struct stat status {};
    return ::fstat(fd, &status) == 0 && status.st_ino == 1 && is_proc(fd);  // PROC_ROOT_INO
}

}  // namespace

Walk::Component Walk::take(const std::string& path) {
    Component component;
    const std::size_t begin = path.find_first_not_of('/');
    if (begin == std::string::npos) return component;
    const std::size_t end = std::min(path.find('/', begin), path.size());
    component.name = path.substr(begin, end - begin);
    component.after = path.substr(end);
    component.last = component.after.find_first_not_of('/') == std::string::npos;
    component.needs_directory = !component.after.empty();
    return component;
}

Or<Fd> Walk::duplicate(int fd) const {
    Fd copy(::fcntl(fd, F_DUPFD_CLOEXEC, 0));
    if (!copy) return std::unexpected(errno);
    return copy;
}

bool Walk::substitute_self(int directory, Component& component) {
    if ((component.name != "self" && component.name != "thread-self") || !is_root_of_proc(directory))
        return false;
    auto caller = request_.caller();
    if (!caller) return false;
    const std::string process = std::to_string((*caller)->inner_process());
    if (component.name == "self")
        component.after = process + component.after;
    else
        component.after = process + "/task/" + std::to_string((*caller)->inner_thread()) + component.after;
    return true;
}

// Those that jump to an object, and not to a path: /proc/PID/{cwd,root,exe}, fd/N, map_files.
Or<bool> Walk::is_link_of_proc(int directory, const Component& component) const {
    if (!is_proc(directory) || is_root_of_proc(directory)) return false;
    auto fd = open_at(directory, component.name.c_str(), O_PATH, RESOLVE_NO_MAGICLINKS);
    return !fd && fd.error() == ELOOP;
}

// With the rights that the caller has: in the session's /proc (a descriptor of the host's may have come from outside),
// over itself, and over processes that can be read by those of their person. The keeper has more, since it owns the
// session's user namespace.
Or<Fd> Walk::follow_link_of_proc(int directory, const Component& component) {
    struct stat status {};
    auto seen = tree_.look(directory);
    auto caller = request_.caller();
    if (!seen || !seen->inside || !caller || ::fstat(directory, &status) != 0) return std::unexpected(EACCES);
    const std::string own = "/proc/" + std::to_string((*caller)->inner_process());
    const bool of_caller = seen->path == own || seen->path.starts_with(own + "/");
    if (!of_caller && status.st_uid != ::geteuid()) return std::unexpected(EACCES);
    return open_at(directory, component.name.c_str(), O_PATH, 0);
}

Or<Target> Walk::target(int base, const std::string& path, bool follow) {
    auto at = duplicate(path.starts_with('/') ? tree_.root() : base);
    std::string rest = path;
    while (at) {
        Component part = take(rest);
        if (part.name.empty() || part.name == ".") {
            if (part.name.empty() || part.last) return Target{std::move(*at), std::nullopt};
            rest = part.after;
            continue;
        }
        if (part.name == "..") {
            at = open_at(at->get(), "..", O_PATH | O_DIRECTORY, 0);
            rest = part.after;
            continue;
        }
        if (substitute_self(at->get(), part)) {
            rest = part.after;
            continue;
        }
        auto found = open_at(at->get(), part.name.c_str(), O_PATH | O_NOFOLLOW, RESOLVE_NO_SYMLINKS);
        if (!found && found.error() == ENOENT && part.last) {
            const int directory = at->get();
            return Target{std::nullopt, Name{std::move(*at), directory, part.name + part.after}};
        }
        if (!found) return std::unexpected(found.error());
        struct stat status {};
        if (::fstat(found->get(), &status) != 0) return std::unexpected(errno);
        const bool leads_on = S_ISLNK(status.st_mode) && (!part.last || follow || part.needs_directory);
        if (leads_on && ++hops_ > kMostLinks) return std::unexpected(ELOOP);
        if (leads_on && !*is_link_of_proc(at->get(), part)) {
            char text[PATH_MAX];
            const ssize_t length = ::readlinkat(found->get(), "", text, sizeof text);
            if (length <= 0) return std::unexpected(length < 0 ? errno : ENOENT);
            rest = std::string(text, static_cast<std::size_t>(length)) + part.after;
            if (text[0] == '/') at = duplicate(tree_.root());
            continue;
        }
        const bool jumps = leads_on;
        if (jumps) found = follow_link_of_proc(at->get(), part);
        if (!found) return std::unexpected(found.error());
        if (part.last && !part.needs_directory) {
            if (jumps) return Target{std::move(*found), std::nullopt};
            const int directory = at->get();
            return Target{std::move(*found), Name{std::move(*at), directory, part.name}};
        }
        if (::fstat(found->get(), &status) != 0 || !S_ISDIR(status.st_mode)) return std::unexpected(ENOTDIR);
        at = std::move(found);
        rest = part.after;
    }
    return std::unexpected(at.error());
}

}  // namespace reeve::keeper
