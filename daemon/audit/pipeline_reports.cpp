// Reports of keeper and veil as waiting records.
#include <algorithm>
#include <array>
#include <cerrno>

#include "daemon/audit/pipeline.hpp"
#include "daemon/audit/pipeline_hash.hpp"

namespace reeve::audit {
namespace {

using access::Report;
using policy::FileAction;

constexpr std::array<Action, policy::kFileActions> kActionOf = {
    Action::kFileList,   Action::kFileRead,    Action::kFileWrite,
    Action::kFileCreate, Action::kFileDelete,  Action::kFileRename,
    Action::kFileLink,   Action::kFileExecute, Action::kFileAttributes,
};
static_assert(static_cast<std::size_t>(FileAction::attributes) + 1 == kActionOf.size());

Action action_of(const Report& report) {
    return report.canary ? Action::kFileCanary : kActionOf[static_cast<std::size_t>(report.action)];
}

// What a decision answers with: EACCES, ENOENT for what is hidden, and EXDEV for a directory whose files would have
// other rules where it is moved to. Whatever else fails is the kernel's doing.
Outcome outcome_of(const Report& report) {
    if (report.error == 0) return Outcome::kAllowed;
    const bool decision = report.error == EACCES || report.error == ENOENT || report.error == EXDEV;
    const bool against = report.decided && report.verdict != policy::Verdict::allow;
    return against && decision ? Outcome::kDenied : Outcome::kFailed;
}

Decision decision_of(const Report& report) {
    constexpr std::array kDecisionOf = {Decision::kAllow, Decision::kAsk, Decision::kDeny};
    return report.decided ? kDecisionOf[static_cast<std::size_t>(report.verdict)] : Decision::kNone;
}

// Keeps the memory of its texts, because this is done for every report.
void set(ReportedFacts& facts, const Report& report) {
    facts.outcome = outcome_of(report);
    facts.decision = decision_of(report);
    facts.decided_by = !report.decided  ? DecidedBy::kNone
                       : report.by_rule ? DecidedBy::kPolicy
                                        : DecidedBy::kDefault;
    facts.tried = report.action;
    facts.directory = report.directory || report.action == FileAction::list;
    facts.error = report.error;
    facts.operation = report.operation;
    facts.target = report.target;
    facts.rule = report.decided ? report.rule : "";
}

// Whether a closing of the file by its process belongs to it.
bool makes_contents(const Report& report) {
    return report.error == 0 && !report.canary && !report.directory &&
           (report.action == FileAction::create || report.action == FileAction::write);
}

}  // namespace

void Pipeline::take(const Session& session, std::span<const Report> reports) {
    const Now time = now();
    session->processes.turn_begins();
    for (const Report& report : reports) take(session, time, report);
}

void Pipeline::take(const Session& session, const Now& time, const Report& report) {
    session->counts.seen += report.count;
    session->counts.coalesced +=
        report.count - 1;  // the first of them makes a record, or is a repeat as well
    Processes::Named process = session->processes.reported(report);
    set(facts_, report);
    const Action action = action_of(report);
    const bool contents = makes_contents(report);
    const std::uint64_t hash = contents ? hash_of_change(report.path, process.id)
                                        : mix(mix(std::hash<std::string_view>{}(report.path),
                                                  std::hash<std::string_view>{}(report.target)),
                                              process.id << 8 | static_cast<std::uint64_t>(action));
    WaitingRecord* same = waiting_.find(hash);
    if (same != nullptr && is_fresh(*same, session, process.id, time) && same->resource == report.path) {
        const bool repeat = same->reported && same->action == action && same->facts == facts_;
        const bool closed = contents && !same->reported;
        if (repeat || closed) ++session->counts.coalesced;
        if (repeat) same->count += report.count;
        if (closed) join(*same, time, action, report);
        if (repeat || closed) return;
    }
    WaitingRecord& record = add(session, time, std::move(process), action, hash);
    record.resource = report.path;
    record.count = report.count;
    describe(record, time, report);
    waiting_.set(record);
    if (facts_.outcome == Outcome::kDenied)
        session->denials.add({.realtime_ns = record.realtime_ns,
                              .action = action,
                              .decision = facts_.decision,
                              .resource = record.resource,
                              .target = facts_.target,
                              .rule = facts_.rule});
}

// The kernel told of the closing before the keeper did of what was opened: the record becomes that one, and its
// closings are counted as those that come later are.
void Pipeline::join(WaitingRecord& closed, const Now& time, Action action, const Report& report) {
    closed.session->counts.joined += closed.count;
    closed.action = action;
    closed.count = report.count;
    describe(closed, time, report);
}

// What facts_ hold, and the time.
void Pipeline::describe(WaitingRecord& record, const Now& time, const Report& report) {
    record.reported = true;
    record.facts = facts_;
    set_time(record, time, report.monotonic_ns);
}

// The sender is trusted with that no further than the session's life. 0: it does not know.
void Pipeline::set_time(WaitingRecord& record, const Now& time, std::uint64_t monotonic_ns) {
    const std::uint64_t began = std::min(record.session->began_ns, time.monotonic_ns);
    record.monotonic_ns =
        monotonic_ns == 0 ? time.monotonic_ns : std::clamp(monotonic_ns, began, time.monotonic_ns);
    record.realtime_ns =
        time.realtime_ns - static_cast<std::int64_t>(time.monotonic_ns - record.monotonic_ns);
}

}  // namespace reeve::audit
