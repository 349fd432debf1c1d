// rename: the call that could carry what is allowed at one path to where it is not.
//
// A rename passes only if nothing is gained by it: what is denied or asked at the old path is so at the new one, and a
// directory moves only where everything below is decided alike (Table::same_below). Else it is EXDEV, so that `mv`
// copies and each file is judged. All the rest of the keeper relies on this: a decision once made about an object
// stays right wherever the object goes, and a directory that was looked at stands for the same rules.
#include <fcntl.h>
#include <linux/fs.h>
#include <stdio.h>
#include <sys/stat.h>

#include <algorithm>
#include <vector>

#include "daemon/keeper/calls.hpp"
#include "daemon/keeper/change.hpp"
#include "daemon/keeper/gain.hpp"

namespace reeve::keeper {
namespace {

using policy::FileAction;

struct Side {
    const Name& name;
    Location at = {};
    struct stat status {};
    int missing = 0;  // why there is no status: an errno

    bool exists() const { return missing == 0; }
    bool link() const { return exists() && S_ISLNK(status.st_mode); }
    bool directory() const { return exists() && S_ISDIR(status.st_mode); }
};

int look_at(Work& work, Side& side) {
    const std::string bare = side.name.bare();
    auto at = work.judge.locate_new(side.name.directory, bare);
    if (!at) return at.error();
    side.at = std::move(*at);
    side.missing = code_of(::fstatat(side.name.directory, bare.c_str(), &side.status, AT_SYMLINK_NOFOLLOW));
    return 0;
}

// What must be allowed at the path that an object leaves, and at the one that it comes to.
Judgement judge_leaving(Work& work, const Side& side) {
    return work.judge.judge(side.at, {FileAction::rename, FileAction::remove}, Guard::landlock);
}
Judgement judge_coming(Work& work, const Side& side, bool directory) {
    if (directory)
        return work.judge.judge(side.at, {FileAction::rename, FileAction::create}, Guard::landlock);
    return work.judge.judge(side.at, {FileAction::rename, FileAction::create, FileAction::write},
                            Guard::landlock);
}

// EBUSY for what must stay: mounts, and directories above a place, whose path would be another's afterwards.
int must_stay(Work& work, const Side& side) {
    if (!side.exists()) return 0;
    const auto standing = Work::look(side.name.directory, side.name.bare());
    if (standing && standing->mount) return EBUSY;
    return side.directory() && work.holds_place(side.at.path) ? EBUSY : 0;
}

int move(Work& work, Side& from, Side& to, unsigned flags) {
    if (!from.exists()) return from.missing;
    for (const Side* side : {&from, &to})
        if (const int code = must_stay(work, *side); code != 0) return code;
    const bool exchange = (flags & RENAME_EXCHANGE) != 0;
    if (gains(work.engine, from.at, to.at, from.directory())) return EXDEV;
    if (exchange && gains(work.engine, to.at, from.at, to.directory())) return EXDEV;
    // Two names of one file: nothing happens.
    const bool same = from.status.st_dev == to.status.st_dev && from.status.st_ino == to.status.st_ino;
    const bool replaces = to.exists() && !exchange && !same;
    if (replaces) work.engine.links.removes(to.status);
    const int code = code_of(::renameat2(from.name.directory, from.name.raw.c_str(), to.name.directory,
                                         to.name.raw.c_str(), flags));
    if (replaces && code == 0) work.engine.links.removed(to.status);
    return code;
}

// The strictest of what must be allowed.
Judgement judge_both(Work& work, const Side& from, const Side& to, bool exchange) {
    std::vector<Judgement> all{judge_leaving(work, from), judge_coming(work, to, from.directory())};
    if (exchange || to.exists()) all.push_back(judge_leaving(work, to));
    if (exchange) all.push_back(judge_coming(work, from, to.directory()));
    const auto is = [](Judgement::Way way) { return [way](const Judgement& j) { return j.way == way; }; };
    if (auto refused = std::ranges::find_if(all, is(Judgement::Way::refuse)); refused != all.end())
        return *refused;
    if (std::ranges::all_of(all, is(Judgement::Way::proceed))) return all[0];
    Judgement judged = *std::ranges::find_if(all, is(Judgement::Way::perform));
    for (const Judgement& one : all)
        if (one.recorded && (!judged.recorded || one.decision.verdict > judged.decision.verdict))
            judged = one;
    judged.way = Judgement::Way::perform;
    return judged;
}

Answer rename_names(Work& work, const Name& old_name, const Name& new_name, unsigned flags) {
    if (old_name.special() || new_name.special())  // the kernel refuses all of these
        return Answer::of(code_of(::renameat2(old_name.directory, old_name.raw.c_str(), new_name.directory,
                                              new_name.raw.c_str(), flags)));
    Side from{old_name}, to{new_name};
    Locked lock(work.engine, Locked::How::alone);
    for (Side* side : {&from, &to})
        if (const int code = look_at(work, *side); code != 0) return Answer::fail(code);
    const bool exchange = (flags & RENAME_EXCHANGE) != 0;
    Judgement judged = judge_both(work, from, to, exchange);
    if (from.link()) work.judge.judge_link(to.at, judged);
    if (exchange && to.link()) work.judge.judge_link(from.at, judged);
    if (judged.way == Judgement::Way::proceed) return Answer::proceed();
    Event event{from.at.path, to.at.path, from.directory(), judged.code};
    if (judged.way == Judgement::Way::perform) {
        const auto change = [&] { return move(work, from, to, flags); };
        const bool veiled = from.at.veiled() || to.at.veiled();
        if (veiled) lock.release();
        event.code = veiled ? MayWait(work.engine, work.request).run(change) : change();
    }
    lock.release();
    return Answer::of(work.record(judged, event));
}

Answer rename_paths(Work& work, int old_directory, int old_at, int new_directory, int new_at,
                    unsigned flags) {
    constexpr unsigned kKnown = RENAME_NOREPLACE | RENAME_EXCHANGE;
    // RENAME_WHITEOUT leaves a device behind, for file systems that stack: refused, as by those that do not know it.
    if ((flags & ~kKnown) != 0 || flags == kKnown) return Answer::fail(EINVAL);
    std::string old_path, new_path;
    if (const int code = work.request.path(old_at, old_path); code != 0) return Answer::fail(code);
    if (const int code = work.request.path(new_at, new_path); code != 0) return Answer::fail(code);
    const auto from = work.resolve.name(old_directory, old_path);
    if (!from) return Answer::fail(from.error());
    const auto to = work.resolve.name(new_directory, new_path);
    if (!to) return Answer::fail(to.error());
    return rename_names(work, *from, *to, flags);
}

}  // namespace

Answer do_rename(Work& work) {
    return rename_paths(work, AT_FDCWD, 0, AT_FDCWD, 1, 0);
}
Answer do_renameat(Work& work) {
    return rename_paths(work, work.request.number(0), 1, work.request.number(2), 3, 0);
}
Answer do_renameat2(Work& work) {
    return rename_paths(work, work.request.number(0), 1, work.request.number(2), 3, work.request.bits(4));
}

}  // namespace reeve::keeper
