#include "daemon/audit/pipeline.hpp"

#include <stdlib.h>
#include <time.h>

#include <algorithm>
#include <array>
#include <bit>

#include "daemon/audit/pipeline_hash.hpp"
#include "platform/confine.hpp"

namespace reeve::audit {
namespace {

using platform::watch::Event;
using platform::watch::Location;
namespace confine = platform::confine;
namespace watch = platform::watch;

constexpr std::size_t kMostReports = 1024;  // of one packet: 64 KiB, of which each takes 64 bytes and a path
constexpr std::size_t kMostBytes = 16ULL << 20;  // of paths that wait; one more read can add its own

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
    {watch::kWritten, confine::kLogChanges | confine::kLogWrites, Action::kFileWrite},
    {watch::kExecuted, confine::kLogExecutions, Action::kProcessExec},
}};

// PT_INTERP of the programs of Debian, Fedora and Alpine, for the architectures that are built.
constexpr std::array kLoaders{"/lib64/ld-linux-x86-64.so.2", "/lib/ld-linux.so.2",
                              "/lib/ld-linux-aarch64.so.1", "/lib/ld-musl-x86_64.so.1",
                              "/lib/ld-musl-aarch64.so.1"};

std::uint64_t nanoseconds(clockid_t clock) {
    timespec time;
    clock_gettime(clock, &time);
    return static_cast<std::uint64_t>(time.tv_sec) * 1'000'000'000 + static_cast<std::uint64_t>(time.tv_nsec);
}

}  // namespace

Counts& Counts::operator+=(const Counts& other) {
    for (const auto member : {&Counts::events, &Counts::seen, &Counts::recorded, &Counts::coalesced,
                              &Counts::left_out, &Counts::waiting, &Counts::gaps, &Counts::joined})
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
    return waiting_.room() >= 3 * watch::Reader::kMostEvents + kMostReports && waiting_.bytes() < kMostBytes;
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
        if (std::ranges::find(session->reporters, event.pid) != session->reporters.end()) {
            const auto accesses = static_cast<std::uint64_t>(std::popcount(event.kinds));
            session->counts.seen += accesses;
            session->counts.left_out += accesses;
            continue;
        }
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
            else if (meaning.kind == watch::kWritten)
                take_writing(session, time, process, location, session->locator.size(event));
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
    WaitingRecord* same = waiting_.find(hash);
    if (same != nullptr && same->action == action && is_fresh(*same, session, process.id, time) &&
        location.equals(same->resource)) {
        ++same->count;
        ++session->counts.coalesced;
        return;
    }
    add(session, time, process, location, action, hash);
}

// A file was closed that had been open for writing. What was reported of it a moment ago gets its size.
void Pipeline::take_writing(const std::shared_ptr<WatchedSession>& session, const Now& time,
                            Processes::Known& process, const Location& location,
                            std::optional<std::uint64_t> size) {
    const std::uint64_t hash = hash_of_change(location.path(path_), process.id);
    WaitingRecord* same = waiting_.find(hash);
    if (same != nullptr && is_fresh(*same, session, process.id, time) && path_ == same->resource) {
        same->size = size;
        if (same->reported)
            ++session->counts.joined;
        else
            ++same->count;
        ++session->counts.coalesced;
        return;
    }
    add(session, time, process, location, Action::kFileWrite, hash).size = size;
}

bool Pipeline::is_fresh(const WaitingRecord& record, const std::shared_ptr<WatchedSession>& session,
                        std::uint64_t process_id, const Now& time) const {
    return record.process_id == process_id && record.session == session &&
           time.monotonic_ns - record.taken_ns < options_.window_ns;
}

WaitingRecord& Pipeline::add(const std::shared_ptr<WatchedSession>& session, const Now& time,
                             Processes::Known& process, const Location& location, Action action,
                             std::uint64_t hash) {
    process.named = true;
    WaitingRecord& record = add(session, time, {process.context, process.id, process.doubt}, action, hash);
    location.path(record.resource);
    waiting_.set(record);
    record.directory_doubt = location.deleted ? "deleted" : location.directory.empty() ? "unknown" : "";
    return record;
}

// Counted as waiting, but not yet as seen.
WaitingRecord& Pipeline::add(const std::shared_ptr<WatchedSession>& session, const Now& time,
                             Processes::Named process, Action action, std::uint64_t hash) {
    WaitingRecord& record = waiting_.add(hash);
    record.session = session;
    record.process = std::move(process.context);
    record.process_id = process.id;
    record.process_doubt = process.doubt;
    record.action = action;
    record.realtime_ns = time.realtime_ns;
    record.monotonic_ns = record.taken_ns = time.monotonic_ns;
    ++session->counts.waiting;
    return record;
}

void Pipeline::drained(const std::shared_ptr<WatchedSession>& session, std::size_t queue) {
    session->empty_ns[queue] = nanoseconds(CLOCK_MONOTONIC);
    session->processes.drained(queue);
    take_ends(session);
}

void Pipeline::drained_late(const std::shared_ptr<WatchedSession>& session, std::size_t queue) {
    const std::uint64_t time = nanoseconds(CLOCK_MONOTONIC);
    session->empty_ns[queue] = time - Processes::kReportLag;
    session->processes.drained_late(queue, time);
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
    record.monotonic_ns = record.taken_ns = time.monotonic_ns;
    record.resource.clear();
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
            last.monotonic_ns = last.taken_ns = time.monotonic_ns;
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
    gap.monotonic_ns = gap.taken_ns = time.monotonic_ns;
    gap.from_ns = session->empty_ns[queue];
    gap.resource = cause;
}

std::optional<std::uint64_t> Pipeline::due_ns() {
    if (waiting_.size() == 0) return std::nullopt;
    return waiting_.at(0).taken_ns + options_.window_ns;
}

bool Pipeline::flush(Flush what) {
    const std::uint64_t time = nanoseconds(CLOCK_MONOTONIC);
    std::size_t wanted = waiting_.size();
    if (what == Flush::kHalf) wanted = (wanted + 1) / 2;
    while (wanted > 0) {
        std::size_t count = 0;
        while (count < wanted && count < 1024 && waiting_.at(count).action != Action::kAuditGap &&
               (what != Flush::kDue || waiting_.at(count).taken_ns + options_.window_ns <= time))
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

}  // namespace reeve::audit
