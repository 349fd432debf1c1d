// open, openat, creat: a descriptor on the object that was decided on, and no other.
#include "daemon/keeper/open.hpp"

#include <linux/openat2.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "daemon/keeper/change.hpp"
#include "daemon/keeper/hand_over.hpp"

namespace reeve::keeper {
namespace {

using platform::Fd;
using policy::FileAction;

// Opening again what is held keeps none of the flags that say how a name is treated, and never gives this process a
// controlling terminal. None of these shows in F_GETFL but O_NOFOLLOW, for which there is open_by_name().
constexpr int kOfNames = O_CREAT | O_EXCL | O_NOFOLLOW;

// What the kernel says of such an object and such flags before it asks for rights.
int check_type(const Wanted& wanted, mode_t mode) {
    if (wanted.exclusive()) return EEXIST;
    if (S_ISDIR(mode)) return wanted.changes() ? EISDIR : 0;
    if ((wanted.flags & O_DIRECTORY) != 0) return ENOTDIR;
    if (S_ISLNK(mode)) return ELOOP;
    return S_ISSOCK(mode) ? ENXIO : 0;
}

Judgement judge_reading(Work& work, const Location& at, bool directory) {
    Judgement judged;
    judged.way = Judgement::Way::perform;
    judged.action = directory ? FileAction::list : FileAction::read;
    if (!at.by_policy()) return judged;
    judged.decided = true;
    judged.decision = work.engine.table.decide(at.path, judged.action);
    const bool allowed = judged.decision.verdict == policy::Verdict::allow;
    judged.recorded = !allowed || (at.place->log & policy::kLogOpens) != 0;
    if (!allowed && work.engine.enforces()) {
        judged.way = Judgement::Way::refuse;
        judged.code = EACCES;
    }
    return judged;
}

Judgement judge_existing(Work& work, const Wanted& wanted, const Location& at, const struct stat& status) {
    const bool reads = work.engine.setup.trap_reads && wanted.readable();
    Judgement reading;
    if (reads) reading = judge_reading(work, at, S_ISDIR(status.st_mode));
    if (!wanted.changes() || (reads && reading.way == Judgement::Way::refuse)) return reading;
    if (!wanted.writable() && !wanted.truncates()) {  // O_CREAT alone, and the file is there: nothing changes
        Judgement judged;
        judged.way = Judgement::Way::perform;
        return reads ? reading : judged;
    }
    const Guard guard = wanted.writable() ? Guard::landlock : Guard::none;
    Judgement judged = work.judge.judge(at, {FileAction::write}, guard);
    work.judge.judge_names(at, status, judged);
    // The end of the writing is on record (CLOSE_WRITE); that it began is only where it was not to.
    if (judged.way == Judgement::Way::perform)
        judged.recorded = judged.decision.verdict != policy::Verdict::allow;
    return judged;
}

bool is_own_terminal(const struct stat& status) {
    return S_ISCHR(status.st_mode) && status.st_rdev == makedev(5, 0);
}

bool same_object(const Fd& a, const Fd& b) {
    struct stat first {
    }, second{};
    return ::fstat(a.get(), &first) == 0 && ::fstat(b.get(), &second) == 0 && first.st_dev == second.st_dev &&
           first.st_ino == second.st_ino;
}

// With O_NOFOLLOW, which shows in F_GETFL and cannot be had through a link of /proc. ESTALE: the name leads to another
// object by now.
Or<Fd> open_by_name(const Name& name, const Fd& object, int flags) {
    Fd fd(::openat(name.directory, name.bare().c_str(), flags | O_NOFOLLOW));
    if (!fd) return std::unexpected(errno == ELOOP || errno == ENOENT ? ESTALE : errno);
    if (!same_object(fd, object)) return std::unexpected(ESTALE);
    return fd;
}

Or<Fd> open_again(Work& work, const Wanted& wanted, const Target& target, int flags) {
    flags = (flags & ~kOfNames) | O_NOCTTY | O_CLOEXEC;
    if ((wanted.flags & O_NOFOLLOW) != 0 && target.name)
        return open_by_name(*target.name, *target.object, flags);
    Fd fd(::openat(work.links(), Tree::link_of(target.object->get()).text, flags));
    if (!fd) return std::unexpected(errno);
    return fd;
}

// 0 or an errno, and the file. `open` may have to wait for a FIFO's other end, or for reeve-veil.
template <class Open>
int open_patiently(Work& work, bool may_wait, Fd& file, Open open) {
    const auto once = [&] {
        auto opened = open();
        if (opened) file = std::move(*opened);
        return opened ? 0 : opened.error();
    };
    if (!may_wait) return once();
    MayWait waiting(work.engine, work.request);
    const auto still_waits = [&] {
        return waiting.interrupted() == 0 && work.request.listener().valid(work.request.call().id);
    };
    int code;
    do {
        code = waiting.run(once);
    } while (code == EINTR && still_waits());
    return code;
}

// /dev/tty is the reader's own terminal, and this process has none. Where it is opened for reading only, and the kernel
// may not be asked to (it would read the path again), the caller's is opened by its own name.
Or<Fd> open_terminal(Work& work, int flags) {
    const auto caller = work.request.caller();
    if (!caller) return std::unexpected(caller.error());
    const auto number = (*caller)->pseudo_terminal();
    if (!number) return std::unexpected(number.error());
    const std::string path = "dev/pts/" + std::to_string(*number);
    return open_at(work.engine.tree.root(), path.c_str(),
                   static_cast<std::uint64_t>((flags & ~kOfNames) | O_NOCTTY),
                   RESOLVE_IN_ROOT | RESOLVE_NO_SYMLINKS);
}

// What fails whatever policy says is on record where it was to change something.
Answer failed(Work& work, const Wanted& wanted, const Location& at, int code) {
    if (!wanted.changes() || !at.by_policy()) return Answer::fail(code);
    const FileAction action = wanted.exclusive() ? FileAction::create : FileAction::write;
    return Answer::fail(
        work.record(work.judge.judge(at, {action}, Guard::landlock), {.path = at.path, .code = code}));
}

// Nothing: the name means another object by now, so everything is to be looked at again.
std::optional<Answer> open_existing(Work& work, const Wanted& wanted, Target& target) {
    struct stat status {};
    if (::fstat(target.object->get(), &status) != 0) return Answer::fail(errno);
    const auto at = work.judge.locate(target.object->get());
    if (!at) return Answer::fail(at.error());
    if (const int code = check_type(wanted, status.st_mode); code != 0)
        return failed(work, wanted, *at, code);
    const bool directory = S_ISDIR(status.st_mode);
    Judgement judged = judge_existing(work, wanted, *at, status);
    if (judged.way == Judgement::Way::proceed) return Answer::proceed();
    Event event{.path = at->path, .directory = directory, .code = judged.code};
    if (judged.way == Judgement::Way::refuse) return Answer::fail(work.record(judged, event));

    // Truncated when the caller has its descriptor: an open that fails for want of one (EMFILE) changes nothing.
    const bool truncates = wanted.truncates() && wanted.writable() && S_ISREG(status.st_mode);
    const bool may_wait = !S_ISREG(status.st_mode) || at->veiled() || (wanted.flags & O_NOFOLLOW) != 0;
    Fd file;
    event.code = open_patiently(work, may_wait, file, [&] {
        if (is_own_terminal(status)) return open_terminal(work, wanted.flags);
        return open_again(work, wanted, target, truncates ? wanted.flags & ~O_TRUNC : wanted.flags);
    });
    if (event.code == ESTALE && (wanted.flags & O_NOFOLLOW) != 0) return std::nullopt;
    if (!file) {
        judged.recorded = judged.decided && (at->place->log & policy::kLogChanges) != 0;
        return Answer::fail(work.record(judged, event));
    }
    return hand_over(work, {.file = std::move(file), .flags = wanted.flags, .truncate = truncates}, judged,
                     event);
}

std::optional<Answer> create_file(Work& work, const Wanted& wanted, const Name& name) {
    if (!wanted.creates()) {
        const auto missing = work.judge.locate(name.directory, name.bare());
        return missing ? failed(work, wanted, *missing, ENOENT) : Answer::fail(ENOENT);
    }
    if (name.slashes()) return Answer::fail(EISDIR);
    Locked lock(work.engine, Locked::How::shared);
    const auto at = work.judge.locate_new(name.directory, name.bare());
    if (!at) return Answer::fail(at.error());
    const Judgement judged =
        wanted.writable() ? work.judge.judge(*at, {FileAction::create, FileAction::write}, Guard::landlock)
                          : work.judge.judge(*at, {FileAction::create}, Guard::landlock);
    if (judged.way == Judgement::Way::proceed) return Answer::proceed();
    Event event{.path = at->path, .code = judged.code};
    if (judged.way == Judgement::Way::refuse) {
        lock.release();
        return Answer::fail(work.record(judged, event));
    }
    if ((wanted.mode & S_ISUID) != 0) return Answer::fail(EPERM);  // as seccomp.set_user_id has it for chmod
    if (const int code = work.take_umask(); code != 0) return Answer::fail(code);
    if (at->veiled()) lock.release();
    const std::string bare = name.bare();
    Fd file;
    event.code = open_patiently(work, at->veiled(), file, [&]() -> Or<Fd> {
        Fd made(::openat(name.directory, bare.c_str(), wanted.flags | O_CREAT | O_EXCL | O_NOCTTY | O_CLOEXEC,
                         wanted.mode));
        if (!made) return std::unexpected(errno);
        return made;
    });
    lock.release();
    if (event.code == EEXIST && !wanted.exclusive()) return std::nullopt;
    if (!file) return Answer::fail(work.record(judged, event));
    return hand_over(work, {.file = std::move(file), .flags = wanted.flags, .created = &name}, judged, event);
}

// A file without a name: what it may become is decided when it is linked, and what it may hold as for any name here.
Answer open_temporary(Work& work, const Wanted& wanted) {
    auto target = work.resolve.target(wanted.directory, wanted.path, wanted.follows());
    if (!target) return Answer::fail(target.error());
    if (!target->object) return Answer::fail(ENOENT);
    struct stat status {};
    if (::fstat(target->object->get(), &status) != 0 || !S_ISDIR(status.st_mode))
        return Answer::fail(ENOTDIR);
    const auto at = work.judge.locate(target->object->get(), "#temporary");
    if (!at) return Answer::fail(at.error());
    Judgement judged = work.judge.judge(*at, {FileAction::create, FileAction::write}, Guard::landlock);
    if (judged.way == Judgement::Way::proceed) return Answer::proceed();
    Event event{.path = at->path, .code = judged.code};
    if (judged.way == Judgement::Way::refuse) return Answer::fail(work.record(judged, event));
    if ((wanted.mode & S_ISUID) != 0) return Answer::fail(EPERM);
    if (const int code = work.take_umask(); code != 0) return Answer::fail(code);
    Fd file;
    const int code = open_patiently(work, at->veiled(), file, [&]() -> Or<Fd> {
        Fd made(::openat(target->object->get(), ".", wanted.flags | O_CLOEXEC, wanted.mode));
        if (!made) return std::unexpected(errno);
        return made;
    });
    if (code != 0) return Answer::fail(code);
    judged.recorded = false;  // no name has changed
    return hand_over(work, {.file = std::move(file), .flags = wanted.flags}, judged, event);
}

// What is created has no slash behind its name, whatever is there already.
Answer open_with_slash(Work& work, const Wanted& wanted) {
    const auto name = work.resolve.name(wanted.directory, wanted.path);
    if (!name) return Answer::fail(name.error());
    return Answer::fail(name->special() && wanted.exclusive() ? EEXIST : EISDIR);
}

Answer open_wanted(Work& work, const Wanted& wanted) {
    if ((wanted.flags & O_PATH) != 0) return Answer::proceed();  // it can neither be read nor written
    if (const int code = wanted.check(); code != 0) return Answer::fail(code);
    if (wanted.path.empty()) return Answer::fail(ENOENT);
    // In the kernel the descriptor comes first, so that without one nothing is made.
    if (work.request.table_is_full()) return Answer::fail(EMFILE);
    if (wanted.temporary()) return open_temporary(work, wanted);
    if (wanted.creates() && wanted.path.ends_with('/')) return open_with_slash(work, wanted);
    constexpr int kTries = 100;  // each time another thread has put another object under the name
    for (int i = 0; i < kTries; ++i) {
        auto target = work.resolve.target(wanted.directory, wanted.path, wanted.follows());
        if (!target) return Answer::fail(target.error());
        const auto answer =
            target->object ? open_existing(work, wanted, *target) : create_file(work, wanted, *target->name);
        if (answer) return *answer;
    }
    return Answer::fail(EAGAIN);
}

}  // namespace

int Wanted::check() const {
    if (temporary() && ((flags & (O_DIRECTORY | O_CREAT)) != O_DIRECTORY || !writable())) return EINVAL;
    if (creates() && (flags & O_DIRECTORY) != 0) return EINVAL;  // Linux 6.4; before it made a file
    return 0;
}

Answer do_open(Work& work) {
    Wanted wanted{.flags = work.request.number(1), .mode = work.request.bits(2) & 07777};
    if (const int code = work.request.path(0, wanted.path); code != 0) return Answer::fail(code);
    return open_wanted(work, wanted);
}
Answer do_creat(Work& work) {
    Wanted wanted{.flags = O_CREAT | O_WRONLY | O_TRUNC, .mode = work.request.bits(1) & 07777};
    if (const int code = work.request.path(0, wanted.path); code != 0) return Answer::fail(code);
    return open_wanted(work, wanted);
}
Answer do_openat(Work& work) {
    Wanted wanted{.directory = work.request.number(0),
                  .flags = work.request.number(2),
                  .mode = work.request.bits(3) & 07777};
    if (const int code = work.request.path(1, wanted.path); code != 0) return Answer::fail(code);
    return open_wanted(work, wanted);
}

}  // namespace reeve::keeper
