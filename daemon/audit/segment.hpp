// The files of the log: audit-<first seq>-<start time>.jsonl in a directory that only root (or the daemon's
// user) can write. Each segment starts with an audit.checkpoint that names the chain value that it starts
// from.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "daemon/audit/chain.hpp"
#include "platform/fd.hpp"
#include "platform/result.hpp"

namespace reeve::audit {

// Opens `path`, whose last component is made if it is missing. Refused: a symbolic link, another owner than
// root or the caller, and write permission for group or others.
platform::Result<platform::Fd> open_directory(const std::string& path, unsigned mode = 0750);

// Excludes a second writer for as long as the descriptor is open (an open-file-description lock on
// audit.lock).
platform::Result<platform::Fd> lock_writer(int directory);
// Whether a writer holds that lock. Asks only: never in a writer's way.
bool has_writer(int directory);

struct Segment {
    std::string name;
    std::uint64_t first_seq = 0;  // read from its first line, never from the name; 0 if that is no record
    std::uint64_t size = 0;
    std::int64_t changed_ns = 0;  // mtime
};
// In the order of the log: by first seq. What is not a regular file is left out.
platform::Result<std::vector<Segment>> list_segments(int directory);
platform::Result<platform::Fd> open_segment(int directory, const std::string& name);

// What the end of the log looks like to a writer that wants to go on.
struct Tail {
    std::string name;       // the segment to go on with; empty: start one
    std::uint64_t end = 0;  // bytes of whole lines in it; 0 means that it starts again
    std::uint64_t file_size = 0;
    std::int64_t started_ns = 0;  // time of its first record
    std::uint64_t seq = 0;        // of the last record, 0 for an empty log
    ChainValue chain{};
    std::string last_checkpoint;  // JWS of the last one in the segment that was read, if any
    std::string torn;             // the bytes behind the last newline
    // A whole line that does not chain: evidence, left as it is, and the log goes on in a new segment.
    std::string damaged_segment;
    std::uint64_t damaged_line = 0;
};
platform::Result<Tail> find_tail(int directory);

// Writes the segments, one after the other. Not for more than one thread.
class SegmentWriter {
  public:
    explicit SegmentWriter(int directory) : directory_(directory) {}  // stays the caller's

    // Goes on at `end`; what stands behind it is overwritten by the first write, and cut off after it.
    platform::Status resume(const std::string& name, std::uint64_t end);
    // Ends the segment (synced) and starts the one whose first record is `first_seq`.
    platform::Status start(std::uint64_t first_seq, std::int64_t realtime_ns);
    // Adds to `done` how many bytes were written, also when it fails.
    platform::Status write(std::string_view bytes, std::size_t& done);
    platform::Status sync();
    const std::string& name() const { return name_; }

  private:
    int directory_;
    platform::Fd file_;
    std::string name_;
    std::uint64_t offset_ = 0;
    bool stale_behind_ = false;
};

platform::Status remove_segments(int directory, const std::vector<std::string>& names);

}  // namespace reeve::audit
