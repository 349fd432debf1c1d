// link: a second name for an object. It passes under the conditions of a rename, since the object has both names'
// rights afterwards.
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "daemon/keeper/calls.hpp"
#include "daemon/keeper/change.hpp"
#include "daemon/keeper/gain.hpp"

namespace reeve::keeper {
namespace {

using platform::Fd;
using policy::FileAction;

// What is linked: AT_EMPTY_PATH takes a descriptor itself. Before Linux 6.10 that needs a capability; from then on who
// opened it, and that was the keeper, so that it is allowed here whichever the kernel.
Or<Fd> find_object(Work& work, int directory, const std::string& path, int flags) {
    if (path.empty() && (flags & AT_EMPTY_PATH) != 0) {
        if (!work.request.confirm()) return std::unexpected(ESRCH);
        if (directory == AT_FDCWD) return work.request.open("cwd");
        return work.request.descriptor(directory);
    }
    auto target = work.resolve.target(directory, path, (flags & AT_SYMLINK_FOLLOW) != 0);
    if (!target) return std::unexpected(target.error());
    if (!target->object) return std::unexpected(ENOENT);
    return std::move(*target->object);
}

int link_object(Work& work, const Fd& object, const Name& name) {
    struct stat before {};
    if (::fstat(object.get(), &before) != 0) return errno;
    work.engine.links.adds(before);
    const Tree::Link link = Tree::link_of(object.get());
    const int code =
        code_of(::linkat(work.links(), link.text, name.directory, name.raw.c_str(), AT_SYMLINK_FOLLOW));
    if (code == 0) work.engine.links.added(before);
    return code;
}

mode_t type_of(const Fd& object) {
    struct stat status {};
    return ::fstat(object.get(), &status) == 0 ? status.st_mode & S_IFMT : 0;
}

Answer link_to(Work& work, const Fd& object, const Name& name) {
    if (type_of(object) == S_IFDIR) return Answer::fail(EPERM);
    if (name.special()) return Answer::of(link_object(work, object, name));
    Locked lock(work.engine, Locked::How::alone);
    const auto from = work.judge.locate(object.get());
    const auto to = work.judge.locate_new(name.directory, name.bare());
    if (!from || !to) return Answer::fail(from ? to.error() : from.error());
    const Judgement leaving = work.judge.judge(*from, {FileAction::link}, Guard::landlock);
    Judgement coming =
        work.judge.judge(*to, {FileAction::link, FileAction::create, FileAction::write}, Guard::landlock);
    using Way = Judgement::Way;
    if (leaving.way == Way::proceed && coming.way == Way::proceed) return Answer::proceed();
    if (type_of(object) == S_IFLNK) work.judge.judge_link(*to, coming);
    const Judgement& judged = leaving.way == Way::refuse ? leaving : coming;
    Event event{.path = from->path, .target = to->path, .code = judged.code};
    if (judged.way != Way::refuse) {
        const auto change = [&] {
            return gains(work.engine, *from, *to, false) ? EXDEV : link_object(work, object, name);
        };
        if (to->veiled()) lock.release();
        event.code = to->veiled() ? MayWait(work.engine, work.request).run(change) : change();
    }
    lock.release();
    return Answer::of(work.record(judged, event));
}

Answer link_paths(Work& work, int old_directory, int old_at, int new_directory, int new_at, int flags) {
    if ((flags & ~(AT_SYMLINK_FOLLOW | AT_EMPTY_PATH)) != 0) return Answer::fail(EINVAL);
    std::string old_path, new_path;
    if (const int code = work.request.path(old_at, old_path); code != 0) return Answer::fail(code);
    if (const int code = work.request.path(new_at, new_path); code != 0) return Answer::fail(code);
    const auto object = find_object(work, old_directory, old_path, flags);
    if (!object) return Answer::fail(object.error());
    const auto name = work.resolve.name(new_directory, new_path);
    if (!name) return Answer::fail(name.error());
    return link_to(work, *object, *name);
}

}  // namespace

Answer do_link(Work& work) {
    return link_paths(work, AT_FDCWD, 0, AT_FDCWD, 1, 0);
}
Answer do_linkat(Work& work) {
    return link_paths(work, work.request.number(0), 1, work.request.number(2), 3, work.request.number(4));
}

}  // namespace reeve::keeper
