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
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>

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
        bool ended = false;
        std::uint64_t judged = 0;  // turn in which it was last asked whether its number is in use again
        platform::Fd pidfd;
    };

    // Processes outside of this pid namespace (its inode number) are not the session's: a number that leads
    // to one is in use again. 0: any.
    explicit Processes(std::uint64_t pid_namespace = 0) : pid_namespace_(pid_namespace) {}

    // After a read, before its events are looked at.
    void turn_begins();
    // The queue was seen empty: what had ended before has no more events.
    void drained();
    // `rest` are the events from this one on, of one read. The reference lives until the next call.
    Known& of(pid_t pid, std::span<const platform::watch::Event> rest);
    // It runs this program from now on.
    static void executes(Known& process, std::string_view program);

  private:
    Known& learn(pid_t pid, std::span<const platform::watch::Event> rest);
    void judge(Known& process);
    void forget(pid_t pid);

    std::uint64_t pid_namespace_;
    std::unordered_map<pid_t, Known> known_;
    platform::watch::Ends ends_;
    Known* last_ = nullptr;
    std::uint64_t turn_ = 1;
    bool some_ended_ = false;  // or are gone
};

}  // namespace reeve::audit
