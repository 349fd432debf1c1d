// What waits to be recorded: in the order of the first access, each with the count of its repeats.
//
// A ring that grows up to a bound and shrinks when it is empty. What finds a repeat is a table in which a
// newer entry simply takes the place of an older one: a repeat that is missed for that becomes a record of
// its own.
#pragma once

#include <algorithm>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "daemon/audit/record.hpp"
#include "daemon/egress/report.hpp"
#include "policy/document.hpp"

namespace reeve::audit {

struct WatchedSession;

// What a report (daemon/access) says beyond what the kernel does.
struct ReportedFacts {
    Outcome outcome = Outcome::kAllowed;
    Decision decision = Decision::kNone;
    DecidedBy decided_by = DecidedBy::kNone;
    policy::FileAction tried = policy::FileAction::read;
    bool directory = false;
    int error = 0;
    std::string operation, target, rule;
    bool operator==(const ReportedFacts&) const = default;
};

struct WaitingRecord {
    std::shared_ptr<WatchedSession> session;
    std::shared_ptr<const ProcessContext> process;
    std::uint64_t process_id = 0;
    Action action = Action::kFileRead;
    std::uint64_t count = 1;
    std::uint64_t taken_ns = 0;    // when it was read, on CLOCK_MONOTONIC
    std::int64_t realtime_ns = 0;  // what the record says: the same, or what the report says
    std::uint64_t monotonic_ns = 0;
    bool reported = false;
    ReportedFacts facts;                            // where reported
    std::shared_ptr<const egress::Report> network;  // of network.connect and network.dns
    std::optional<std::uint64_t> size;              // of a file that was written, when that was read
    std::uint64_t from_ns = 0;  // audit.gap: nothing was dropped before that, on the clock of monotonic_ns
    std::string resource;       // audit.gap: the cause
    std::string_view process_doubt, directory_doubt;
    std::uint64_t hash = 0;
    std::size_t bytes = 0;  // of its texts, as Waiting::set() found them
};

class Waiting {
  public:
    explicit Waiting(std::size_t most);
    std::size_t size() const { return static_cast<std::size_t>(end_ - begin_); }
    // Of the texts of all.
    std::size_t bytes() const { return bytes_; }
    // To be called when the texts of a new one have been set.
    void set(WaitingRecord& record);
    std::size_t room() const { return most_ - std::min(most_, size()); }
    // The entry that was added last under that hash, if it still waits.
    WaitingRecord* find(std::uint64_t hash);
    // An entry with its old contents, except hash, and what few set: count, from_ns, reported, network, size, doubts; there must
    // be room.
    WaitingRecord& add(std::uint64_t hash);
    // The i-th oldest.
    WaitingRecord& at(std::size_t i) { return slots_[(begin_ + i) & (slots_.size() - 1)]; }
    void remove(std::size_t count);

  private:
    void resize(std::size_t slots);
    std::size_t most_;
    std::vector<WaitingRecord> slots_;  // a power of two
    std::vector<std::uint64_t> index_;  // by hash: place + 1 of the newest
    std::uint64_t begin_ = 0, end_ = 0;
    std::size_t bytes_ = 0;
};

}  // namespace reeve::audit
