// unlink, rmdir: names that go.
#include <fcntl.h>
#include <unistd.h>

#include "daemon/keeper/calls.hpp"
#include "daemon/keeper/change.hpp"

namespace reeve::keeper {
namespace {

Answer remove_name(Work& work, int directory, int path_at, int flags) {
    if ((flags & ~AT_REMOVEDIR) != 0) return Answer::fail(EINVAL);
    std::string path;
    if (const int code = work.request.path(path_at, path); code != 0) return Answer::fail(code);
    const auto name = work.resolve.name(directory, path);
    if (!name) return Answer::fail(name.error());
    const Event event{.directory = flags == AT_REMOVEDIR};
    return change_name(work, *name, {policy::FileAction::remove}, event, [&] {
        const auto standing = name->special() ? std::nullopt : Work::look(name->directory, name->bare());
        if (standing && standing->mount) return EBUSY;
        if (standing) work.engine.links.removes(standing->status);
        const int code = code_of(::unlinkat(name->directory, name->raw.c_str(), flags));
        if (standing && code == 0) work.engine.links.removed(standing->status);
        return code;
    });
}

}  // namespace

Answer do_unlink(Work& work) {
    return remove_name(work, AT_FDCWD, 0, 0);
}
Answer do_rmdir(Work& work) {
    return remove_name(work, AT_FDCWD, 0, AT_REMOVEDIR);
}
Answer do_unlinkat(Work& work) {
    return remove_name(work, work.request.number(0), 1, work.request.number(2));
}

}  // namespace reeve::keeper
