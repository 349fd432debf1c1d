// The shapes that most calls have: something is done to a name, or to an object. What is done is the caller's of
// these, a function that makes the system call on descriptors and gives 0 or an errno.
#pragma once

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>

#include <initializer_list>

#include "daemon/keeper/work.hpp"

namespace reeve::keeper {

// 0, or the errno of a call that gave -1.
inline int code_of(long result) {
    return result < 0 ? errno : 0;
}

// Makes or removes `name`. The lock is held meanwhile, unless the place is veiled. `link`: it is to be a symbolic one.
template <class Do>
Answer change_name(Work& work, const Name& name, std::initializer_list<policy::FileAction> actions,
                   Event event, Do change, bool link = false) {
    if (name.special()) return Answer::of(change());  // the kernel refuses all of these, each in its own way
    Locked lock(work.engine, Locked::How::shared);
    const bool makes = *actions.begin() == policy::FileAction::create;
    const auto at = makes ? work.judge.locate_new(name.directory, name.bare())
                          : work.judge.locate(name.directory, name.bare());
    if (!at) return Answer::fail(at.error());
    Judgement judged = work.judge.judge(*at, actions, Guard::landlock);
    if (link) work.judge.judge_link(*at, judged);
    if (judged.way == Judgement::Way::proceed) return Answer::proceed();
    event.path = at->path;
    event.code = judged.code;
    if (judged.way == Judgement::Way::perform) {
        if (at->veiled()) lock.release();
        event.code = at->veiled() ? MayWait(work.engine, work.request).run(change) : change();
    }
    lock.release();
    return Answer::of(work.record(judged, event));
}

// Changes what `object` holds. Not under the lock: what a file's path allows stays the same whatever its name becomes,
// since renames and links pass only where nothing is gained (rename.cpp).
template <class Do>
Answer change_object(Work& work, const platform::Fd& object, policy::FileAction action, Do change) {
    const auto at = work.judge.locate(object.get());
    if (!at) return Answer::fail(at.error());
    // Pipes, sockets, memory: what is no part of any tree is its holder's own.
    if (!at->path.starts_with('/') || (!at->inside && at->path.starts_with("/memfd:")))
        return Answer::of(change());
    Judgement judged = work.judge.judge(*at, {action}, Guard::none);
    struct stat status {};
    if (::fstat(object.get(), &status) == 0) work.judge.judge_names(*at, status, judged);
    Event event{.path = at->path, .code = judged.code};
    if (judged.way == Judgement::Way::perform) {
        event.code = at->veiled() ? MayWait(work.engine, work.request).run(change) : change();
    }
    return Answer::of(work.record(judged, event));
}

// The same for the object that a path leads to.
template <class Do>
Answer change_at(Work& work, int directory, const std::string& path, bool follow, policy::FileAction action,
                 Do change) {
    auto target = work.resolve.target(directory, path, follow);
    if (!target) return Answer::fail(target.error());
    if (!target->object) return Answer::fail(ENOENT);
    const platform::Fd& object = *target->object;
    return change_object(work, object, action, [&] { return change(object.get()); });
}

// The same for a descriptor of the caller's; `any`: one that was opened with O_PATH will do (AT_EMPTY_PATH).
template <class Do>
Answer change_descriptor(Work& work, int descriptor, bool any, policy::FileAction action, Do change) {
    if (!work.request.confirm()) return Answer::fail(ESRCH);
    auto object = any ? work.request.descriptor(descriptor) : work.request.open_descriptor(descriptor);
    if (!object) return Answer::fail(object.error());
    return change_object(work, *object, action, [&] { return change(object->get()); });
}

// The same for a path with AT_SYMLINK_NOFOLLOW and AT_EMPTY_PATH, which must have been checked to be the only flags.
template <class Do>
Answer change_path(Work& work, int directory, std::string path, int flags, policy::FileAction action,
                   Do change) {
    if (path.empty() && (flags & AT_EMPTY_PATH) != 0) {
        if (directory != AT_FDCWD) return change_descriptor(work, directory, true, action, change);
        path.push_back('.');
    }
    return change_at(work, directory, path, (flags & AT_SYMLINK_NOFOLLOW) == 0, action, change);
}

}  // namespace reeve::keeper
