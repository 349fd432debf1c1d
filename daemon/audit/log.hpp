// The audit log as the daemon writes it: records in, chained lines in segment files out.
//
// append() encodes and chains in the caller's thread and copies to memory; one writer thread of the log's own
// does all that can block (write, fdatasync, rotation, retention). It sleeps without a timer when there is
// nothing to write. When the disk is full, the log unwritable or the disk slower than what comes, lines are
// kept in memory up to a bound; what comes after that is counted, and the first record after recovery
// (audit.gap, "log_unwritable" or "log_slow") says how many were lost and when. Not covered: what a session's fate is meanwhile (the Unwritable callback decides) and other sinks.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string>

#include "daemon/audit/record.hpp"
#include "platform/fd.hpp"
#include "platform/result.hpp"

namespace reeve::audit {

// Signs a payload (JSON) with the device key and gives the compact JWS. Called with the log's lock held, from
// any thread that appends: it must not append itself.
using Sign = std::function<platform::Result<std::string>(const std::string& payload)>;

// Told once for each outage, on the writer thread: nothing more reaches the disk until the cause is gone.
// Must not wait for flush().
using Unwritable = std::function<void(const platform::Error&)>;

// Nanoseconds. The default reads CLOCK_REALTIME and CLOCK_MONOTONIC.
struct Clock {
    std::function<std::int64_t()> realtime_ns;
    std::function<std::uint64_t()> monotonic_ns;
    static Clock system();
};

struct LogOptions {
    std::uint64_t segment_size = 64ULL << 20;       // bytes after which a segment is ended
    std::chrono::seconds segment_age{24 * 3600};    // the same, by time since its first record
    std::uint64_t max_size = 0;                     // bytes of all segments, 0 for no bound
    std::chrono::seconds keep{0};                   // age of the last change of a segment, 0 for ever
    std::size_t memory = 64ULL << 20;               // bytes of lines that wait while the log is unwritable
    std::chrono::milliseconds sync_interval{1000};  // fdatasync at most that often, and at every checkpoint
    std::uint64_t checkpoint_records = 100'000;
    std::chrono::seconds checkpoint_interval{300};  // after the first record that no checkpoint covers
    std::string boot_id = {};
    SessionFacts self =
        {};  // what the log's own records and those without a session say: device_id, policy_id
};

// Where the chain stands: what a posture's `audit` claim and a checkpoint name.
struct Position {
    std::uint64_t seq = 0;  // of the last record, 0 before the first
    std::string chain;      // 64 hex digits
};

struct LogStatistics {
    std::uint64_t appended = 0;  // records taken since open, the log's own included
    std::uint64_t lost = 0;      // records that found no room
    std::uint64_t written_bytes = 0;
    bool writable = true;  // false from the first failed write to the first that succeeds: start no session
};

class Log {
  public:
    // `directory` and `state` come from open_directory() (segment.hpp). A second writer of the same directory
    // is refused. A torn last line and a tail that is shorter than the last checkpoint in `state` are written
    // down as audit.gap before open() returns; a checkpoint stands on disk by then.
    static platform::Result<std::unique_ptr<Log>> open(platform::Fd directory, platform::Fd state,
                                                       LogOptions options, Sign sign, Unwritable unwritable,
                                                       Clock clock = Clock::system());
    // Writes a last checkpoint, flushes, joins the writer. What cannot be written then is lost.
    ~Log();
    Log(const Log&) = delete;
    Log& operator=(const Log&) = delete;

    // Any thread; never waits for the disk. The records get consecutive places in the chain, in their order.
    // Returns how many were taken: fewer than given only where the memory bound is reached; the others are
    // counted as lost.
    std::size_t append(std::span<const Record> records);
    // The same for one who keeps what is not taken and offers it again: nothing is counted as lost, and
    // nothing is taken while the log is unwritable.
    std::size_t offer(std::span<const Record> records);
    bool append(const Record& record) { return append(std::span(&record, 1)) == 1; }

    // Waits until all that was appended before is on disk (fdatasync). Fails at once while the log is
    // unwritable.
    platform::Status flush();
    // Writes and flushes a checkpoint.
    platform::Status checkpoint();

    Position position() const;
    LogStatistics statistics() const;

  private:
    class Implementation;
    explicit Log(std::unique_ptr<Implementation> implementation);
    std::unique_ptr<Implementation> implementation_;
};

}  // namespace reeve::audit
