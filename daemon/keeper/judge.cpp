#include "daemon/keeper/judge.hpp"

#include <errno.h>
#include <limits.h>
#include <sys/statvfs.h>

#include "daemon/access/holes.hpp"

namespace reeve::keeper {

using access::Place;
using policy::FileAction;
using policy::Verdict;

bool Location::by_policy() const {
    return inside && place != nullptr &&
           (place->kind == Place::Kind::decided || place->kind == Place::Kind::veiled);
}

bool Location::veiled() const {
    return place != nullptr && place->kind == Place::Kind::veiled;
}

Location Judge::place(const Seen& seen, int fd) const {
    Location at{.path = seen.path, .inside = seen.inside};
    if (seen.path.starts_with('/')) at.place = engine_.setup.place_of(at.path);
    if (at.place != nullptr && at.place->kind != Place::Kind::system) return at;
    struct statvfs system {};
    at.read_only = ::fstatvfs(fd, &system) == 0 && (system.f_flag & ST_RDONLY) != 0;
    return at;
}

Or<Location> Judge::locate(int fd) const {
    auto seen = engine_.tree.look(fd);
    if (!seen) return std::unexpected(seen.error());
    return place(*seen, fd);
}

Or<Location> Judge::locate(int directory, const std::string& name) const {
    auto seen = engine_.tree.look(directory);
    if (!seen) return std::unexpected(seen.error());
    if (seen->deleted) return std::unexpected(ENOENT);
    if (!seen->path.ends_with('/')) seen->path += '/';
    seen->path += name;
    return place(*seen, directory);
}

Or<Location> Judge::locate_new(int directory, const std::string& name) const {
    auto at = locate(directory, name);
    if (at && at->path.size() >= PATH_MAX) return std::unexpected(ENAMETOOLONG);
    return at;
}

policy::Decision Judge::decide(const std::string& path, std::initializer_list<FileAction> actions,
                               FileAction& action) const {
    policy::Decision strictest;
    bool first = true;
    for (const FileAction asked : actions) {
        const policy::Decision decision = engine_.table.decide(path, asked);
        if (!first && decision.verdict <= strictest.verdict) continue;
        strictest = decision;
        action = asked;
        first = false;
    }
    return strictest;
}

Judgement Judge::judge(const Location& at, std::initializer_list<FileAction> actions, Guard guard) const {
    Judgement judged;
    judged.action = *actions.begin();
    if (!at.inside || at.place == nullptr || at.place->kind == Place::Kind::system)
        return outside(at, actions, guard);
    if (at.place->kind == Place::Kind::scratch) {
        const bool go_on = at.place->continued && guard == Guard::landlock;
        judged.way = go_on ? Judgement::Way::proceed : Judgement::Way::perform;
        return judged;
    }
    judged.decided = true;
    judged.decision = decide(at.path, actions, judged.action);
    if (judged.decision.verdict == Verdict::allow || !engine_.enforces() || access::lacks("keeper.decide")) {
        judged.way = Judgement::Way::perform;
        judged.recorded =
            judged.decision.verdict != Verdict::allow || (at.place->log & policy::kLogChanges) != 0;
    } else {
        judged.code = EACCES;
        judged.recorded = true;
    }
    return judged;
}

void Judge::judge_link(const Location& at, Judgement& judged) const {
    // A name beside it that no pattern spells out.
    const std::string other = at.path.substr(0, at.path.rfind('/') + 1) + "\x01\x02\x01";
    if (judged.way != Judgement::Way::perform || !at.by_policy() ||
        engine_.table.same_below(at.path, other) || access::lacks("keeper.symbolic_links"))
        return;
    if (judged.decision.verdict == Verdict::allow)
        judged.decision = {.reason = "a symbolic link here would lead around the rules for names below it"};
    judged.recorded = true;
    if (!engine_.enforces()) return;
    judged.way = Judgement::Way::refuse;
    judged.code = EACCES;
}

void Judge::judge_names(const Location& at, const struct stat& status, Judgement& judged) const {
    if (judged.way != Judgement::Way::perform || !at.by_policy() || at.veiled() ||
        access::lacks("keeper.names") || !engine_.links.foreign(status))
        return;
    if (judged.decision.verdict == Verdict::allow)
        judged.decision = {.reason = "the file has another name, which this session did not make"};
    judged.recorded = true;
    if (!engine_.enforces()) return;
    judged.way = Judgement::Way::refuse;
    judged.code = EACCES;
}

// Where nothing may change: what is read-only, and what is not on the session's mounts at all (a descriptor that came
// from elsewhere). A rule that denies is worth a record; else the kernel gives its own answer, which for what is not
// guarded must be on the very object.
Judgement Judge::outside(const Location& at, std::initializer_list<FileAction> actions, Guard guard) const {
    Judgement judged;
    judged.action = *actions.begin();
    if (at.path.starts_with('/')) judged.decision = decide(at.path, actions, judged.action);
    judged.decided = judged.recorded = judged.decision.verdict == Verdict::deny &&
                                       judged.decision.decided_by == policy::DecidedBy::rule && at.inside;
    judged.code = EACCES;
    if (judged.decided && engine_.enforces()) return judged;
    if (guard == Guard::landlock)
        judged.way = Judgement::Way::proceed;
    else if (at.read_only)
        judged.way = Judgement::Way::perform;
    return judged;
}

}  // namespace reeve::keeper
