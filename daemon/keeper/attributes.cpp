// truncate, chmod, chown: what is done to an object. Landlock knows no right for these, so that the kernel is never
// asked to do them for the caller: a path that changed meanwhile would lead anywhere.
#include <fcntl.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <vector>

#include "daemon/keeper/calls.hpp"
#include "daemon/keeper/change.hpp"

namespace reeve::keeper {
namespace {

using policy::FileAction;

// What setrlimit(2) has for files that grow beyond the caller's RLIMIT_FSIZE.
int check_limit(Work& work, int object, off_t length) {
    struct stat status {};
    rlimit limit{};
    const pid_t tid = work.request.call().tid;
    if (::fstat(object, &status) != 0 || !S_ISREG(status.st_mode) || length <= status.st_size) return 0;
    if (::prlimit(tid, RLIMIT_FSIZE, nullptr, &limit) != 0 || limit.rlim_cur == RLIM_INFINITY ||
        static_cast<rlim_t>(length) <= limit.rlim_cur)
        return 0;
    const auto caller = work.request.caller();
    if (caller) ::syscall(SYS_tgkill, (*caller)->process(), tid, SIGXFSZ);
    return EFBIG;
}

int change_mode(Work& work, int object, mode_t mode) {
    return code_of(::fchmodat(work.links(), Tree::link_of(object).text, mode, 0));
}

Answer mode_at(Work& work, int directory, int path_at, mode_t mode, int flags) {
    if ((flags & ~(AT_SYMLINK_NOFOLLOW | AT_EMPTY_PATH)) != 0) return Answer::fail(EINVAL);
    std::string path;
    if (const int code = work.request.path(path_at, path); code != 0) return Answer::fail(code);
    const auto change = [&](int object) { return change_mode(work, object, mode & 07777); };
    return change_path(work, directory, path, flags, FileAction::attributes, change);
}

// Ids that the session's user namespace does not know are EINVAL in it: it has the person's own and their groups'.
int check_ids(uid_t user, gid_t group) {
    constexpr auto kLeave = static_cast<uid_t>(-1);
    if (user != kLeave && user != ::geteuid()) return EINVAL;
    if (group == kLeave || group == ::getegid()) return 0;
    static const std::vector<gid_t> groups = [] {
        std::vector<gid_t> ids(static_cast<std::size_t>(std::max(0, ::getgroups(0, nullptr))));
        const int count = ::getgroups(static_cast<int>(ids.size()), ids.data());
        ids.resize(static_cast<std::size_t>(std::max(0, count)));
        return ids;
    }();
    return std::ranges::find(groups, group) != groups.end() ? 0 : EINVAL;
}

int change_owner(int object, uid_t user, gid_t group) {
    if (const int code = check_ids(user, group); code != 0) return code;
    return code_of(::fchownat(object, "", user, group, AT_EMPTY_PATH));
}

Answer owner_at(Work& work, int directory, int path_at, uid_t user, gid_t group, int flags) {
    if ((flags & ~(AT_SYMLINK_NOFOLLOW | AT_EMPTY_PATH)) != 0) return Answer::fail(EINVAL);
    std::string path;
    if (const int code = work.request.path(path_at, path); code != 0) return Answer::fail(code);
    const auto change = [&](int object) { return change_owner(object, user, group); };
    return change_path(work, directory, path, flags, FileAction::attributes, change);
}

}  // namespace

Answer do_truncate(Work& work) {
    std::string path;
    const auto length = static_cast<off_t>(work.request.word(1));
    if (length < 0) return Answer::fail(EINVAL);
    if (const int code = work.request.path(0, path); code != 0) return Answer::fail(code);
    return change_at(work, AT_FDCWD, path, true, FileAction::write, [&](int object) {
        if (const int code = check_limit(work, object, length); code != 0) return code;
        const std::string link = std::string("/proc/self/fd/") + Tree::link_of(object).text;
        return code_of(::truncate(link.c_str(), length));
    });
}

Answer do_chmod(Work& work) {
    return mode_at(work, AT_FDCWD, 0, work.request.bits(1), 0);
}
Answer do_fchmod(Work& work) {
    const mode_t mode = work.request.bits(1) & 07777;
    return change_descriptor(work, work.request.number(0), false, FileAction::attributes,
                             [&](int object) { return change_mode(work, object, mode); });
}
Answer do_fchmodat(Work& work) {
    return mode_at(work, work.request.number(0), 1, work.request.bits(2), 0);
}
Answer do_fchmodat2(Work& work) {
    return mode_at(work, work.request.number(0), 1, work.request.bits(2), work.request.number(3));
}

Answer do_chown(Work& work) {
    return owner_at(work, AT_FDCWD, 0, work.request.bits(1), work.request.bits(2), 0);
}
Answer do_lchown(Work& work) {
    return owner_at(work, AT_FDCWD, 0, work.request.bits(1), work.request.bits(2), AT_SYMLINK_NOFOLLOW);
}
Answer do_fchown(Work& work) {
    const uid_t user = work.request.bits(1);
    const gid_t group = work.request.bits(2);
    return change_descriptor(work, work.request.number(0), false, FileAction::attributes,
                             [&](int object) { return change_owner(object, user, group); });
}
Answer do_fchownat(Work& work) {
    return owner_at(work, work.request.number(0), 1, work.request.bits(2), work.request.bits(3),
                    work.request.number(4));
}

}  // namespace reeve::keeper
