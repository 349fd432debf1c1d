// The last denials of one session, for those who ask why something did not work: the agent itself, and people.
//
// Bounded: an older one gives way to a newer one, and one that comes again is the newest, with its count. It does not
// cover what to do about them (daemon/reeved/calls_denials.cpp), nor what is kept for good, which is the log. One
// thread at a time.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <string>
#include <vector>

#include "daemon/audit/record.hpp"

namespace reeve::audit {

struct Denial {
    std::uint64_t number = 0;  // from 1, of this session; a denial that comes again gets a new one
    std::int64_t realtime_ns = 0;
    Action action = Action::kFileRead;
    Decision decision = Decision::kDeny;
    std::string resource, target;
    std::string rule;         // "" where the default decided
    std::uint64_t count = 0;  // of records; each may stand for several equal accesses
};

class Denials {
  public:
    static constexpr std::size_t kMost = 256;
    void add(Denial denial);
    // Those with a greater number, oldest first.
    std::vector<Denial> since(std::uint64_t number) const;

  private:
    struct Kept : Denial {
        std::size_t hash = 0;  // a flood of distinct denials compares no texts
    };
    std::deque<Kept> denials_;
    std::uint64_t last_ = 0;
};

}  // namespace reeve::audit
