#include "daemon/keeper/hand_over.hpp"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "platform/linux/notify/beside.hpp"

namespace reeve::keeper {
namespace {

// In the kernel a descriptor is found before anything is opened: a full table leaves no file behind.
void take_back(Work& work, const Opened& opened) {
    const std::string bare = opened.created->bare();
    struct stat made {
    }, now{};
    const Locked lock(work.engine, Locked::How::shared);
    if (::fstat(opened.file.get(), &made) == 0 &&
        ::fstatat(opened.created->directory, bare.c_str(), &now, AT_SYMLINK_NOFOLLOW) == 0 &&
        made.st_dev == now.st_dev && made.st_ino == now.st_ino)
        ::unlinkat(opened.created->directory, bare.c_str(), 0);
}

}  // namespace

Answer hand_over(Work& work, Opened opened, const Judgement& judged, Event event) {
    const auto& listener = work.request.listener();
    const int number = [&] {
        const platform::notify::Beside beside(work.request.call().tid);
        return listener.add_descriptor(work.request.call().id, opened.file.get(),
                                       (opened.flags & O_CLOEXEC) != 0);
    }();
    if (number >= 0)
        if (const auto caller = work.request.caller()) (*caller)->got_descriptor(number);
    const bool gone = number == -ENOENT || number == -ESRCH;  // killed: what was done stays, as in the kernel
    if (number < 0 && !gone) {
        event.code = -number;
        if (opened.created != nullptr) take_back(work, opened);
    } else if (opened.truncate && ::ftruncate(opened.file.get(), 0) != 0) {
        event.code = errno;
    }
    opened.file.reset();
    event.code = work.record(judged, event);
    return event.code == 0 ? Answer::done(number) : Answer::fail(event.code);
}

}  // namespace reeve::keeper
