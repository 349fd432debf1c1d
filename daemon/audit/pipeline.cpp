#include "daemon/audit/pipeline.hpp"

#include <stdlib.h>
#include <time.h>

#include <algorithm>
#include <array>

#include "platform/confine.hpp"

namespace reeve::audit {
namespace {

using platform::watch::Event;
using platform::watch::Location;
namespace confine = platform::confine;
namespace watch = platform::watch;

struct Meaning {
    watch::Kind kind;
    unsigned log;  // the zone's bit that asks for it
    Action action;
};
// FAN_OPEN does not tell how a file was opened, so that every open is a reading; a writing shows when it is
// closed. Executions are the last: the open that belongs to one is still the old program's.
constexpr std::array<Meaning, 4> kMeanings{{
    {watch::kOpened, confine::kLogOpens, Action::kFileRead},
    {watch::kListed, confine::kLogOpens, Action::kFileList},
    {watch::kWritten, confine::kLogChanges, Action::kFileWrite},
    {watch::kExecuted, confine::kLogExecutions, Action::kProcessExec},
}};

bool is_access(Action action) {
    return action != Action::kAuditGap && action != Action::kProcessEnd;
}

std::string_view event_name(Action action) {
    if (action == Action::kFileWrite) return "close_write";
    return action == Action::kProcessExec ? "open_exec" : "open";
}

// PT_INTERP of the programs of Debian, Fedora and Alpine, for the architectures that are built.
constexpr std::array kLoaders{"/lib64/ld-linux-x86-64.so.2", "/lib/ld-linux.so.2",
                              "/lib/ld-linux-aarch64.so.1", "/lib/ld-musl-x86_64.so.1",
                              "/lib/ld-musl-aarch64.so.1"};

std::uint64_t nanoseconds(clockid_t clock) {
    timespec time;
    clock_gettime(clock, &time);
    return static_cast<std::uint64_t>(time.tv_sec) * 1'000'000'000 + static_cast<std::uint64_t>(time.tv_nsec);
}

std::uint64_t mix(std::uint64_t hash, std::uint64_t value) {
    hash = (hash ^ value) * 0x9e37'79b9'7f4a'7c15;
    return hash ^ hash >> 32;
}

}  // namespace

Counts& Counts::operator+=(const Counts& other) {
    for (const auto member : {&Counts::events, &Counts::seen, &Counts::recorded, &Counts::coalesced,
                              &Counts::left_out, &Counts::waiting, &Counts::gaps})
        this->*member += other.*member;
    return *this;
}

Pipeline::Pipeline(Sink& sink, PipelineOptions options)
    : sink_(sink),
      options_(options),
      waiting_(std::max(options.most_waiting, 4 * watch::Reader::kMostEvents)) {
    for (const char* path : kLoaders) {
        char* resolved = realpath(path, nullptr);
        if (resolved != nullptr) loaders_.emplace_back(resolved);
        free(resolved);
    }
}

Pipeline::Now Pipeline::now() {
    return {static_cast<std::int64_t>(nanoseconds(CLOCK_REALTIME)), nanoseconds(CLOCK_MONOTONIC)};
}

bool Pipeline::has_room() const {
    return waiting_.room() >= 3 * watch::Reader::kMostEvents;
}

void Pipeline::take(const std::shared_ptr<WatchedSession>& session, std::span<const Event> events,
                    std::size_t queue) {
    const Now time = now();
    session->processes.turn_begins();
    session->locator.begin_turn();
    for (std::size_t i = 0; i < events.size(); ++i) {
        const Event& event = events[i];
        if (event.overflow) {
            dropped(session, "the queue of file events was full", queue);
            continue;
        }
        ++session->counts.events;
        const Location location = session->locator.locate(event);
        Processes::Known& process = session->processes.of(event.pid, events.subspan(i));
        for (const Meaning& meaning : kMeanings) {
            if (!(event.kinds & meaning.kind)) continue;
            ++session->counts.seen;
            const bool loader = meaning.kind == watch::kExecuted && is_loader(process, location);
            if (meaning.kind == watch::kExecuted && !loader)
                Processes::executes(process, location.path(path_));
            if (loader || !(location.log & meaning.log))
                ++session->counts.left_out;
            else
                take(session, time, process, location, meaning.action);
        }
    }
}

// The kernel opens the loader right after the program that names it. A loader that is opened without one is
// itself what was run, and the program that it then maps is an ordinary open.
bool Pipeline::is_loader(Processes::Known& process, const Location& location) {
    if (!process.loader_due) return false;
    const auto same = [&](const std::string& path) { return location.equals(path); };
    if (std::ranges::none_of(loaders_, same)) return false;
    process.loader_due = false;
    return true;
}

void Pipeline::take(const std::shared_ptr<WatchedSession>& session, const Now& time,
                    Processes::Known& process, const Location& location, Action action) {
    std::uint64_t hash = std::hash<std::string_view>{}(location.name);
    hash = mix(hash, location.id);
    hash = mix(hash, process.id << 8 | static_cast<std::uint64_t>(action));
    if (WaitingRecord* same = waiting_.find(hash); same != nullptr) {
        const bool repeat =
            same->process_id == process.id && same->action == action && same->session == session &&
            time.monotonic_ns - same->monotonic_ns < options_.window_ns && location.equals(same->resource);
        if (repeat) {
            ++same->count;
            ++session->counts.coalesced;
            return;
        }
    }
    process.named = true;
    WaitingRecord& record = waiting_.add(hash);
    record.session = session;
    record.process = process.context;
    record.process_id = process.id;
    record.action = action;
    record.realtime_ns = time.realtime_ns;
    record.monotonic_ns = time.monotonic_ns;
    location.path(record.resource);
    record.process_doubt = process.doubt;
    record.directory_doubt = location.deleted ? "deleted" : location.directory.empty() ? "unknown" : "";
    ++session->counts.waiting;
}

void Pipeline::drained(const std::shared_ptr<WatchedSession>& session, std::size_t queue) {
    session->empty_ns[queue] = nanoseconds(CLOCK_MONOTONIC);
    session->processes.drained(queue);
    take_ends(session);
}

bool Pipeline::take_ends(const std::shared_ptr<WatchedSession>& session) {
    std::vector<Processes::Ended>& ends = session->processes.ended();
    if (ends.empty()) return false;
    const Now time = now();
    const std::size_t count = std::min(ends.size(), waiting_.room());
    for (std::size_t i = 0; i < count; ++i) {
        WaitingRecord& record = add_end(session, time);
        record.process = std::move(ends[i].context);
        record.resource = std::move(ends[i].exe);
        record.process_doubt = ends[i].doubt;
    }
    ends.erase(ends.begin(), ends.begin() + static_cast<std::ptrdiff_t>(count));
    return true;
}

WaitingRecord& Pipeline::add_end(const std::shared_ptr<WatchedSession>& session, const Now& time) {
    WaitingRecord& record = waiting_.add(0);
    record.session = session;
    record.process.reset();
    record.process_id = 0;
    record.action = Action::kProcessEnd;
    record.realtime_ns = time.realtime_ns;
    record.monotonic_ns = time.monotonic_ns;
    record.resource.clear();
    record.process_doubt = record.directory_doubt = "";
    return record;
}

void Pipeline::closed(const std::shared_ptr<WatchedSession>& session, bool all_read) {
    if (!all_read) {
        const auto oldest = std::ranges::min_element(session->empty_ns) - session->empty_ns.begin();
        dropped(session, "the session ended before all its file events were read",
                static_cast<std::size_t>(oldest));
    }
    session->processes.finish();
    take_ends(session);
    std::vector<Processes::Ended>& untold = session->processes.ended();
    const std::uint64_t count = session->processes.forgotten() + untold.size();
    untold.clear();
    if (count == 0) return;
    WaitingRecord& record = add_end(session, now());
    record.count = count;
    record.process_doubt = "forgotten";
}

void Pipeline::dropped(const std::shared_ptr<WatchedSession>& session, std::string_view cause,
                       std::size_t queue) {
    const Now time = now();
    if (waiting_.size() > 0) {
        WaitingRecord& last = waiting_.at(waiting_.size() - 1);
        if (last.action == Action::kAuditGap && last.session == session && last.resource == cause) {
            last.monotonic_ns = time.monotonic_ns;
            last.from_ns = std::min(last.from_ns, session->empty_ns[queue]);
            return;
        }
    }
    WaitingRecord& gap = waiting_.add(0);
    gap.session = session;
    gap.process.reset();
    gap.process_id = 0;
    gap.action = Action::kAuditGap;
    gap.realtime_ns = time.realtime_ns;
    gap.monotonic_ns = time.monotonic_ns;
    gap.from_ns = session->empty_ns[queue];
    gap.resource = cause;
}

std::optional<std::uint64_t> Pipeline::due_ns() {
    if (waiting_.size() == 0) return std::nullopt;
    return waiting_.at(0).monotonic_ns + options_.window_ns;
}

bool Pipeline::flush(Flush what) {
    const std::uint64_t time = nanoseconds(CLOCK_MONOTONIC);
    std::size_t wanted = waiting_.size();
    if (what == Flush::kHalf) wanted = (wanted + 1) / 2;
    while (wanted > 0) {
        std::size_t count = 0;
        while (count < wanted && count < 1024 && waiting_.at(count).action != Action::kAuditGap &&
               (what != Flush::kDue || waiting_.at(count).monotonic_ns + options_.window_ns <= time))
            ++count;
        if (count > 0) {
            if (!hand_on(count)) return false;
        } else if (waiting_.at(0).action == Action::kAuditGap) {
            count = 1;
            if (!hand_on_gap()) return false;
        } else {
            break;
        }
        wanted -= count;
    }
    return true;
}

bool Pipeline::hand_on(std::size_t count) {
    records_.resize(count);
    details_.resize(count);
    for (std::size_t i = 0; i < count; ++i) {
        const WaitingRecord& waiting = waiting_.at(i);
        std::size_t details = 0;
        const bool access = is_access(waiting.action);
        if (access) details_[i][details++] = {"event", event_name(waiting.action)};
        if (!waiting.process_doubt.empty()) details_[i][details++] = {"process", waiting.process_doubt};
        if (!waiting.directory_doubt.empty()) details_[i][details++] = {"directory", waiting.directory_doubt};
        Record record;
        record.action = waiting.action;
        record.realtime_ns = waiting.realtime_ns;
        record.monotonic_ns = waiting.monotonic_ns;
        record.session = waiting.session->context.get();
        record.process = waiting.process.get();
        record.resource = waiting.resource;
        record.resource_type = waiting.action == Action::kProcessEnd ? ResourceType::kProcess
                               : waiting.action == Action::kFileList ? ResourceType::kDirectory
                                                                     : ResourceType::kFile;
        record.count = waiting.count;
        if (access) record.outcome = Outcome::kAllowed;
        record.details = std::span(details_[i]).first(details);
        records_[i] = record;
    }
    const std::size_t taken = sink_.append(records_);
    for (std::size_t i = 0; i < taken; ++i) {
        if (!is_access(waiting_.at(i).action)) continue;
        ++waiting_.at(i).session->counts.recorded;
        --waiting_.at(i).session->counts.waiting;
    }
    waiting_.remove(taken);
    return taken == count;
}

bool Pipeline::hand_on_gap() {
    WaitingRecord& waiting = waiting_.at(0);
    const std::array<Detail, 4> details{{{"cause", std::string_view(waiting.resource)},
                                         {"from_ns", waiting.from_ns},
                                         {"to_ns", waiting.monotonic_ns},
                                         {"after_seq", sink_.last_seq()}}};
    Record record;
    record.action = Action::kAuditGap;
    record.realtime_ns = waiting.realtime_ns;
    record.monotonic_ns = waiting.monotonic_ns;
    record.session = waiting.session->context.get();
    record.details = details;
    if (sink_.append({&record, 1}) != 1) return false;
    ++waiting.session->counts.gaps;
    waiting_.remove(1);
    return true;
}

}  // namespace reeve::audit
