// A record as its line, written for the hot path: no DOM, no allocation per record, constants copied in one
// piece.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "daemon/audit/buffer.hpp"
#include "daemon/audit/record.hpp"

namespace reeve::audit {

// RFC 3339 in UTC with six digits: "2026-11-23T19:02:11.483920Z". Years 0000 to 9999; what is outside is
// clamped.
inline constexpr std::size_t kTimestampSize = 27;
std::string timestamp(std::int64_t realtime_ns);
// The same time back in nanoseconds; for text that is no such timestamp, nothing.
std::optional<std::int64_t> parse_timestamp(std::string_view text);

// Not for more than one thread at a time: it remembers the last second that it wrote.
class Encoder {
  public:
    // `boot_id` may be empty and is then left out. `self` stands in for records without a session.
    Encoder(std::string_view boot_id, const SessionFacts& self);

    // Appends {"schema":... up to, and without, ,"chain":. realtime_ns and monotonic_ns are written as they
    // are.
    void encode(const Record& record, std::uint64_t seq, Buffer& out);

  private:
    char* put_timestamp(std::int64_t realtime_ns, char* out);

    std::string boot_;  // ,"boot_id":"..."
    SessionContext self_;
    std::int64_t second_ = INT64_MIN;
    char second_text_[20] = {};  // "2026-11-23T19:02:11." of second_
};

}  // namespace reeve::audit
