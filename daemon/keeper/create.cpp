// mkdir, mknod, symlink: names that come into being.
#include <fcntl.h>
#include <limits.h>
#include <sys/stat.h>
#include <unistd.h>

#include "daemon/keeper/calls.hpp"
#include "daemon/keeper/change.hpp"

namespace reeve::keeper {
namespace {

using policy::FileAction;

Answer make_directory(Work& work, int directory, int path_at, mode_t mode) {
    std::string path;
    if (const int code = work.request.path(path_at, path); code != 0) return Answer::fail(code);
    const auto name = work.resolve.name(directory, path);
    if (!name) return Answer::fail(name.error());
    return change_name(work, *name, {FileAction::create}, {.directory = true}, [&] {
        if (const int code = work.take_umask(); code != 0) return code;
        return code_of(::mkdirat(name->directory, name->raw.c_str(), mode));
    });
}

// May_mknod() of the kernel, for who has no capability. What is refused here is refused before any path is looked at.
int allowed_type(mode_t mode) {
    if ((mode & S_ISUID) != 0) return EPERM;  // as seccomp.set_user_id has it for chmod
    switch (mode & S_IFMT) {
        case 0:
        case S_IFREG:
        case S_IFIFO:
        case S_IFSOCK:
            return 0;
        case S_IFDIR:
        case S_IFCHR:
        case S_IFBLK:
            return EPERM;
        default:
            return EINVAL;
    }
}

Answer make_node(Work& work, int directory, int path_at, mode_t mode, dev_t device) {
    std::string path;
    if (const int code = allowed_type(mode); code != 0) return Answer::fail(code);
    if (const int code = work.request.path(path_at, path); code != 0) return Answer::fail(code);
    const auto name = work.resolve.name(directory, path);
    if (!name) return Answer::fail(name.error());
    return change_name(work, *name, {FileAction::create}, {}, [&] {
        if (const int code = work.take_umask(); code != 0) return code;
        return code_of(::mknodat(name->directory, name->raw.c_str(), mode, device));
    });
}

Answer make_link(Work& work, int directory, int path_at) {
    std::string text, path;
    if (const int code = work.request.path(0, text); code != 0) return Answer::fail(code);
    if (text.empty()) return Answer::fail(ENOENT);
    if (const int code = work.request.path(path_at, path); code != 0) return Answer::fail(code);
    const auto name = work.resolve.name(directory, path);
    if (!name) return Answer::fail(name.error());
    return change_name(
        work, *name, {FileAction::create}, {.target = text},
        [&] { return code_of(::symlinkat(text.c_str(), name->directory, name->raw.c_str())); }, true);
}

}  // namespace

Answer do_mkdir(Work& work) {
    return make_directory(work, AT_FDCWD, 0, static_cast<mode_t>(work.request.bits(1) & 0xffff));
}
Answer do_mkdirat(Work& work) {
    return make_directory(work, work.request.number(0), 1,
                          static_cast<mode_t>(work.request.bits(2) & 0xffff));
}
Answer do_mknod(Work& work) {
    return make_node(work, AT_FDCWD, 0, work.request.bits(1) & 0xffff, work.request.bits(2));
}
Answer do_mknodat(Work& work) {
    return make_node(work, work.request.number(0), 1, work.request.bits(2) & 0xffff, work.request.bits(3));
}
Answer do_symlink(Work& work) {
    return make_link(work, AT_FDCWD, 1);
}
Answer do_symlinkat(Work& work) {
    return make_link(work, work.request.number(1), 2);
}

}  // namespace reeve::keeper
