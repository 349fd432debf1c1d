#include "daemon/keeper/resolve.hpp"

#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>

#include "daemon/keeper/walk.hpp"

namespace reeve::keeper {
namespace {

using platform::Fd;

// Where the last component of a path begins, whatever slashes stand behind it.
std::size_t last_component(const std::string& path) {
    const std::size_t end = path.find_last_not_of('/');
    if (end == std::string::npos) return 0;  // slashes only
    const std::size_t slash = path.find_last_of('/', end);
    return slash == std::string::npos ? 0 : slash + 1;
}

}  // namespace

Or<Fd> Resolver::base(int directory) {
    if (directory == AT_FDCWD) return request_.open("cwd", O_DIRECTORY);
    return request_.descriptor(directory);
}

// The fast way is one call. Where it meets a symbolic link, absolute paths have one more chance, because the kernel
// can be told where their root is; it cannot for links in the middle of a relative path.
Or<Fd> Resolver::directory_at(int base, bool absolute, const std::string& prefix) {
    constexpr std::uint64_t kFlags = O_PATH | O_DIRECTORY;
    const std::size_t begin = prefix.find_first_not_of('/');
    const std::string relative = begin == std::string::npos ? "." : prefix.substr(absolute ? begin : 0);
    auto fd = open_at(base, relative.c_str(), kFlags, RESOLVE_NO_SYMLINKS | (absolute ? RESOLVE_IN_ROOT : 0));
    if (fd || fd.error() != ELOOP) return fd;
    if (absolute) {
        fd = open_at(base, relative.c_str(), kFlags, RESOLVE_NO_MAGICLINKS | RESOLVE_IN_ROOT);
        // ENOENT also where a link leads to /proc/self: this process is none of the session's.
        if (fd || (fd.error() != ELOOP && fd.error() != ENOENT)) return fd;
    }
    auto walked = Walk(tree_, request_).target(base, prefix + "/", true);
    if (!walked) return std::unexpected(walked.error());
    if (!walked->object) return std::unexpected(ENOENT);
    return std::move(*walked->object);
}

Or<Name> Resolver::name(int directory, const std::string& path) {
    if (!request_.confirm()) return std::unexpected(ESRCH);
    if (path.empty()) return std::unexpected(ENOENT);
    const bool absolute = path.front() == '/';
    const std::size_t at = last_component(path);
    const std::string prefix = path.substr(0, at);
    Name name;
    name.raw = path.substr(at);
    name.directory = tree_.root();
    if (!absolute) {
        auto begin = base(directory);
        if (!begin) return std::unexpected(begin.error());
        name.owned = std::move(*begin);
        name.directory = name.owned.get();
    }
    if (prefix.find_first_not_of('/') == std::string::npos) return name;
    auto parent = directory_at(name.directory, absolute, prefix);
    if (!parent) return std::unexpected(parent.error());
    name.owned = std::move(*parent);
    name.directory = name.owned.get();
    return name;
}

Or<Target> Resolver::target(int directory, const std::string& path, bool follow) {
    auto found = name(directory, path);
    if (!found) return std::unexpected(found.error());
    const bool slashes = found->slashes();
    if (slashes) follow = true;
    const std::string bare = found->bare();
    auto object =
        open_at(found->directory, bare.empty() ? "." : bare.c_str(),
                O_PATH | (follow ? 0u : O_NOFOLLOW) | (slashes ? O_DIRECTORY : 0u), RESOLVE_NO_SYMLINKS);
    if (object) {
        Target target;
        target.object = std::move(*object);
        if (!found->special()) target.name = std::move(*found);
        return target;
    }
    if (object.error() == ELOOP && follow)
        return Walk(tree_, request_).target(found->directory, found->raw, true);
    if (object.error() != ENOENT) return std::unexpected(object.error());
    return Target{std::nullopt, std::move(*found)};
}

}  // namespace reeve::keeper
