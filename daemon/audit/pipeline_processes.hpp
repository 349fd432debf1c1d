// Which process made an event, as records name it: looked up once, followed to its end, right when its number
// is used again.
//
// An event carries a number and no time. A process that is looked up while it lives owns its number until it
// ends, so that all events of that number are its own as long as it has not ended; its end shows through a
// pidfd. Until the kernel's queue has been seen empty after that end, events of a number that is in use again
// may be of either: they get the number alone, and details say "ambiguous". Not covered: a process that
// nothing was ever heard of, whose number is in use again before its only events are read (a few
// milliseconds): those count as the successor's. FAN_REPORT_PIDFD would tell them apart, and costs 2 us an
// event where all else costs 1.
//
// A report (daemon/access) names its process itself, as it was while that waited for its answer, and so does without
// any of this; it also makes known a process that is gone.
//
// Ends: a process that a record names gets one last record when it has ended, after all of its others: once
// its end has shown and every queue of the session has been seen empty after that. Nobody is woken by an end,
// so that a session at rest stays at rest: an end is found at the session's next events, or at its own end.
// No end is told of what is "ambiguous" (its first owner's is), nor of what is outside of the session's pid
// namespace; those of processes that were forgotten, because more than 4096 were known at once, are only
// counted.
#pragma once

#include <sys/types.h>

#include <array>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "daemon/access/report.hpp"
#include "daemon/audit/record.hpp"
#include "platform/watch.hpp"

namespace reeve::audit {

class Processes {
  public:
    struct Known {
        ProcessFacts facts;
        std::shared_ptr<const ProcessContext> context;  // of facts
        std::uint64_t id = 0;     // unique among all processes of all sessions of this run
        std::string_view doubt;   // "", "gone": nothing could be looked up; "ambiguous": see above
        bool loader_due = false;  // it ran a program, whose dynamic loader is opened next
        bool named = false;       // by a record: it gets one for its end
        bool untold = false;      // it gets none: ambiguous, or outside of the pid namespace
        bool ended = false;
        std::uint64_t ended_at = 0;  // step in which that was found
        std::uint64_t judged = 0;    // turn in which it was last asked whether its number is in use again
        platform::Fd pidfd;
        // As the last report named it, where that is not what it is known as: it has run another program since.
        std::string reported_exe;
        std::shared_ptr<const ProcessContext> reported_context;
        std::uint64_t reported_id = 0;
    };

    // A process as one record names it; without a context where nobody knows it.
    struct Named {
        std::shared_ptr<const ProcessContext> context;
        std::uint64_t id = 0;
        std::string_view doubt;  // as in Known
    };

    // A process that has ended, of which there is a record.
    struct Ended {
        std::shared_ptr<const ProcessContext> context;
        std::string exe;
        std::string_view doubt;  // as in Known
    };

    static constexpr std::size_t kMostQueues =
        6;  // two groups of the kernel's, and reports of keeper, veil and egress, which may be started twice
    // What is reported comes that much later, at most, than it was done: ten times what reports wait for repeats.
    static constexpr std::uint64_t kReportLag = 250'000'000;
    // Processes outside of this pid namespace (its inode number) are not the session's: a number that leads
    // to one is in use again. 0: any. `queues` bring its events.
    explicit Processes(std::uint64_t pid_namespace = 0, std::size_t queues = 1);

    // After a read, before its events are looked at.
    void turn_begins();
    void look_for_ends();
    // One more queue, of reports; nothing if there are kMostQueues.
    std::optional<std::size_t> add_queue();
    // That queue was seen empty: what had ended before the last look has no more events in it.
    void drained(std::size_t queue);
    // The same of reports, at that time: of what had ended kReportLag before that.
    void drained_late(std::size_t queue, std::uint64_t now_ns);
    // It is read no more.
    void queue_ends(std::size_t queue);
    // Whether some have ended and some queue has not been seen empty since.
    bool unsettled() const { return some_ended_; }
    // No queue is read any more.
    void finish();
    // Those whose end is to be recorded; the caller takes them out.
    std::vector<Ended>& ended() { return ended_; }
    // How many that records name were forgotten before their end was found; some may have become known again.
    std::uint64_t forgotten() const { return forgotten_; }
    // `rest` are the events from this one on, of one read. The reference lives until the next call.
    Known& of(pid_t pid, std::span<const platform::watch::Event> rest);
    // Who made a report. All events that the kernel had by the time that it was read must have been taken.
    Named reported(const access::Report& report);
    // Who made a connection, which is reported when it is over: the process may be long gone.
    Named named(pid_t pid, std::uint64_t start_ns, const std::string& exe);
    // It runs this program from now on.
    static void executes(Known& process, std::string_view program);

  private:
    Known& learn(pid_t pid, std::span<const platform::watch::Event> rest);
    Known& learn(const access::Report& report);
    Known& enter(pid_t pid, std::optional<platform::watch::Process> now);
    static void adopt(Known& process, const access::Report& report);
    void judge(Known& process);
    void forget(pid_t pid);
    void end(Known& process);
    void settle();

    std::uint64_t pid_namespace_;
    std::size_t queues_;
    std::array<std::uint64_t, kMostQueues> empty_at_;  // step in which each queue was last seen empty
    struct Mark {
        std::uint64_t step = 0, ns = 0;
    };
    std::array<Mark, kMostQueues> marks_{};  // of queues of reports: a step, and when it was
    std::uint64_t step_ = 0;                 // one for each look for ends
    std::vector<Ended> ended_;
    std::uint64_t forgotten_ = 0;
    std::unordered_map<pid_t, Known> known_;
    platform::watch::Ends ends_;
    Known* last_ = nullptr;
    std::uint64_t turn_ = 1;
    bool some_ended_ = false;  // or are gone
};

}  // namespace reeve::audit
