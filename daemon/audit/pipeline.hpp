// From file events, and from what keeper, veil and egress report, to audit records: who did it, where it is, what of it
// the zone logs, repeats counted.
//
// Of what was taken from the kernel and from reports, exactly and at any time:
//     seen = recorded + coalesced + left_out + waiting
// where one event is one access for each kind that it names (opened, listed, written, executed), and one report as
// many as its count; `recorded` are the records that the log took, `coalesced` the repeats that only raised a
// record's `count`, and `left_out` what the zone's log mask does not ask for, the dynamic loader that the kernel
// opens with a program, and what keeper and veil themselves open. A file that was created, or opened for writing, and
// closed by the same process a moment later is one record: the closing gives it details.size, and counts as coalesced
// and as `joined`. So the counts of the records of this pipeline add up to recorded + coalesced - joined. What was
// dropped is none of these: it is an audit.gap record, with its bounds in time and the number of the record before
// it. Nor is the end of a process (process.end, pipeline_processes.hpp): it is no access, and its record's
// time is when the end was found.
//
// The time of what the kernel tells is that of the read, some milliseconds after the access: the kernel gives none.
// That of a report is its own. One thread at a time.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <unordered_set>
#include <vector>

#include "daemon/access/report.hpp"
#include "daemon/audit/denials.hpp"
#include "daemon/audit/pipeline_processes.hpp"
#include "daemon/audit/pipeline_waiting.hpp"
#include "daemon/audit/record.hpp"
#include "daemon/egress/report.hpp"
#include "platform/watch.hpp"

namespace reeve::audit {

// Where records go. Must not wait.
class Sink {
  public:
    virtual ~Sink() = default;
    // How many of them, from the first on, it took. The rest is offered again: the events that follow wait in
    // the kernel meanwhile.
    virtual std::size_t append(std::span<const Record> records) = 0;
    virtual std::uint64_t last_seq() const = 0;
};

struct Counts {
    std::uint64_t events = 0;  // as the kernel counts them
    std::uint64_t seen = 0, recorded = 0, coalesced = 0, left_out = 0, waiting = 0;
    std::uint64_t joined = 0;  // a part of coalesced
    std::uint64_t gaps = 0;    // audit.gap records
    bool exact() const { return seen == recorded + coalesced + left_out + waiting; }
    Counts& operator+=(const Counts& other);
};

struct WatchedSession {
    explicit WatchedSession(std::shared_ptr<const SessionContext> facts, std::uint64_t pid_namespace = 0,
                            std::size_t queues = 1)
        : context(std::move(facts)), processes(pid_namespace, queues) {}
    std::shared_ptr<const SessionContext> context;
    platform::watch::Locator locator;
    Processes processes;
    Counts counts;
    Denials denials;
    // When each of its queues was last known to be empty, and nothing on its way to it.
    std::array<std::uint64_t, Processes::kMostQueues> empty_ns{};
    std::uint64_t began_ns = 0;  // no report is older
    std::vector<pid_t>
        reporters;  // thread groups of keeper and veil: what they open is not the session's doing
};

struct PipelineOptions {
    std::uint64_t window_ns = 100'000'000;  // for how long repeats are counted into one record
    std::size_t most_waiting = 16'384;      // at least what one read can bring, three times
};

class Pipeline {
  public:
    Pipeline(Sink& sink, PipelineOptions options = {});

    // Whether the events of one more read, or the reports of one more packet, fit. If not, flush() makes room, unless the sink is full.
    bool has_room() const;
    void take(const std::shared_ptr<WatchedSession>& session, std::span<const platform::watch::Event> events,
              std::size_t queue = 0);
    // One packet's. All events that the kernel had when it was received must have been taken, so that it is known which
    // program each process ran.
    void take(const std::shared_ptr<WatchedSession>& session, std::span<const access::Report> reports);
    // One packet's of connections and names: pipeline_network.cpp.
    void take(const std::shared_ptr<WatchedSession>& session, std::vector<egress::Report> reports);
    // A read brought nothing, at that time: what comes later is of later.
    void drained(const std::shared_ptr<WatchedSession>& session, std::size_t queue = 0);
    // The same of a queue of reports.
    void drained_late(const std::shared_ptr<WatchedSession>& session, std::size_t queue);
    void dropped(const std::shared_ptr<WatchedSession>& session, std::string_view cause,
                 std::size_t queue = 0);
    // Lets the ends of processes wait to be recorded, as far as there is room. Whether there were any.
    bool take_ends(const std::shared_ptr<WatchedSession>& session);
    // The session's queues are read no more; were they read to their ends? Takes a little more room than
    // there is where the sink is full.
    void closed(const std::shared_ptr<WatchedSession>& session, bool all_read);
    // Hands on what has waited for the window, or all. False: the sink does not take it.
    enum class Flush { kDue, kHalf, kAll };
    bool flush(Flush what);
    // When the next record is due, on CLOCK_MONOTONIC; nothing if none waits.
    std::optional<std::uint64_t> due_ns();

  private:
    struct Now {
        std::int64_t realtime_ns = 0;
        std::uint64_t monotonic_ns = 0;
    };
    static Now now();
    using Session = std::shared_ptr<WatchedSession>;
    void take(const Session& session, const Now& time, Processes::Known& process,
              const platform::watch::Location& location, Action action);
    void take_writing(const Session& session, const Now& time, Processes::Known& process,
                      const platform::watch::Location& location, std::optional<std::uint64_t> size);
    void take(const Session& session, const Now& time, const access::Report& report);
    void join(WaitingRecord& closed, const Now& time, Action action, const access::Report& report);
    void describe(WaitingRecord& record, const Now& time, const access::Report& report);
    static void set_time(WaitingRecord& record, const Now& time, std::uint64_t monotonic_ns);
    bool is_fresh(const WaitingRecord& record, const Session& session, std::uint64_t process_id,
                  const Now& time) const;
    WaitingRecord& add(const Session& session, const Now& time, Processes::Known& process,
                       const platform::watch::Location& location, Action action, std::uint64_t hash);
    WaitingRecord& add(const Session& session, const Now& time, Processes::Named process, Action action,
                       std::uint64_t hash);
    WaitingRecord& add_end(const std::shared_ptr<WatchedSession>& session, const Now& time);
    bool is_loader(Processes::Known& process, const platform::watch::Location& location);
    static std::size_t details_of(const WaitingRecord& waiting, std::span<Detail> details);
    static Record record_of(const WaitingRecord& waiting, std::span<const Detail> details);
    static std::size_t network_details(const egress::Report& report, std::span<Detail> details);
    bool hand_on(std::size_t count);
    bool hand_on_gap();

    Sink& sink_;
    PipelineOptions options_;
    Waiting waiting_;
    std::vector<std::string> loaders_;  // dynamic loaders of this host, resolved
    std::vector<Record> records_;
    static constexpr std::size_t kMostDetails = 12;
    std::vector<std::array<Detail, kMostDetails>> details_;
    std::string path_;
    ReportedFacts facts_;  // of the report that is being taken
};

}  // namespace reeve::audit
