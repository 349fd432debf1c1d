// What waits to be recorded: in the order of the first access, each with the count of its repeats.
//
// A ring that grows up to a bound and shrinks when it is empty. What finds a repeat is a table in which a
// newer entry simply takes the place of an older one: a repeat that is missed for that becomes a record of
// its own.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "daemon/audit/record.hpp"

namespace reeve::audit {

struct WatchedSession;

struct WaitingRecord {
    std::shared_ptr<WatchedSession> session;
    std::shared_ptr<const ProcessContext> process;
    std::uint64_t process_id = 0;
    Action action = Action::kFileRead;
    std::uint64_t count = 1;
    std::int64_t realtime_ns = 0;  // when it was read
    std::uint64_t monotonic_ns = 0;
    std::uint64_t from_ns = 0;  // audit.gap: nothing was dropped before that, on the clock of monotonic_ns
    std::string resource;       // audit.gap: the cause
    std::string_view process_doubt, directory_doubt;
    std::uint64_t hash = 0;
};

class Waiting {
  public:
    explicit Waiting(std::size_t most);
    std::size_t size() const { return static_cast<std::size_t>(end_ - begin_); }
    std::size_t room() const { return most_ - size(); }
    // The entry that was added last under that hash, if it still waits.
    WaitingRecord* find(std::uint64_t hash);
    // An entry with its old contents, except count and hash; there must be room.
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
};

}  // namespace reeve::audit
