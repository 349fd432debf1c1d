// The two halves of the log: the appending side (log.cpp), in the threads of its callers and under one mutex,
// and the writer (log_writer.cpp), which alone touches files. They meet in `pending_`.
#pragma once

#include <condition_variable>
#include <mutex>
#include <optional>
#include <thread>
#include <vector>

#include "daemon/audit/chain.hpp"
#include "daemon/audit/checkpoint.hpp"
#include "daemon/audit/encode.hpp"
#include "daemon/audit/log.hpp"
#include "daemon/audit/segment.hpp"

namespace reeve::audit {

// Lines on their way to disk, and what is to be done on the way.
struct Batch {
    struct Cut {  // before the byte at `offset`, a new segment starts
        std::size_t offset;
        std::uint64_t first_seq;
        std::int64_t realtime_ns;
    };
    Buffer bytes = {};
    std::vector<Cut> cuts = {};
    std::vector<std::string> removals =
        {};                       // segments to remove once the record of it, in `bytes`, is durable
    std::string checkpoint = {};  // the last JWS in `bytes`, to be stored once that is durable
    bool sync = false;
    std::uint64_t last_seq = 0;          // of the last record that was taken when the writer took the batch
    std::size_t next_cut = 0, done = 0;  // progress of the writer
};

class Log::Implementation {
  public:
    Implementation(platform::Fd directory, platform::Fd lock, platform::Fd state, LogOptions options,
                   Sign sign, Unwritable unwritable, Clock clock);
    ~Implementation();

    platform::Status start();
    std::size_t append(std::span<const Record> records);
    std::size_t offer(std::span<const Record> records);
    platform::Status flush();
    platform::Status checkpoint();
    Position position() const;
    LogStatistics statistics() const;

  private:
    using Steady = std::chrono::steady_clock;
    struct Removed {  // what retention takes away
        std::vector<std::string> names;
        std::uint64_t through = 0, bytes = 0;
    };

    // log.cpp; with mutex_ held.
    void recover(const Tail& tail, const std::optional<std::string>& stored);
    bool has_room() const { return lost_.records == 0 && queued() <= options_.memory; }
    void add(const Record& record);
    void wake_writer();
    void add_line(Record record);
    void add_gap(std::string_view reason, std::span<const Detail> details);
    bool add_checkpoint(std::string_view reason,
                        const Removed* removed = nullptr);  // false: it is not signed
    void start_segment(std::int64_t realtime_ns);
    void lose(const Record& record);
    std::size_t queued() const { return pending_.bytes.size() + writing_bytes_; }

    // log_writer.cpp
    void run();
    void wait_for_work(std::unique_lock<std::mutex>& lock);
    bool work_is_urgent() const;
    std::optional<Steady::time_point> deadline() const;
    platform::Status write_batch();
    platform::Status sync_batch();
    void batch_done(const platform::Status& status, std::unique_lock<std::mutex>& lock);
    void recovered();
    Removed plan_retention() const;
    void retain(std::unique_lock<std::mutex>& lock);

    const platform::Fd directory_, lock_, state_;
    const LogOptions options_;
    const Sign sign_;
    const Unwritable unwritable_;
    const Clock clock_;

    mutable std::mutex mutex_;
    std::condition_variable work_, done_;
    Encoder encoder_;
    Chain chain_;
    std::uint64_t seq_ = 0;
    std::string last_checkpoint_;  // JWS of the last checkpoint in the log
    std::uint64_t uncovered_ = 0;  // records behind the last checkpoint
    std::optional<Steady::time_point> uncovered_since_;
    std::uint64_t segment_bytes_ = 0;  // of the segment that the next record goes to
    std::int64_t segment_started_ns_ = 0;
    Batch pending_;
    std::uint64_t taken_bytes_ = 0, durable_bytes_ = 0, flush_to_ = 0;
    LogStatistics statistics_;
    struct {
        std::uint64_t records = 0;
        std::int64_t from_ns = 0, to_ns = 0;
        bool outage = false;  // the log was unwritable at some time of it
    } lost_;                  // while it is not empty, nothing is taken
    std::optional<platform::Error> outage_;
    Steady::time_point retry_at_{};
    std::uint64_t attempts_ = 0;  // ended, by the writer
    bool retry_now_ = false, waiting_ = false, stop_ = false;
    std::size_t writing_bytes_ = 0;

    // The writer's alone.
    SegmentWriter segments_;
    Batch writing_;
    std::uint64_t written_bytes_ = 0;
    std::optional<Steady::time_point> unsynced_since_;
    std::optional<std::uint64_t> unsure_from_;  // first seq that a failed fdatasync leaves in doubt
    std::uint64_t durable_seq_ = 0;
    bool started_segment_ = true;
    std::chrono::milliseconds backoff_{0};
    std::thread writer_;
};

}  // namespace reeve::audit
