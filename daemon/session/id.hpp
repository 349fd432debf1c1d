// Ids of sessions: ULIDs (26 characters of Crockford's base 32; the first ten are the time), so that they sort by time.
#pragma once

#include <string>

#include "platform/result.hpp"

namespace reeve::session {

// Also a cgroup's name and a host name, so nothing but letters and digits is in it.
platform::Result<std::string> new_id();
// 32 hex digits.
platform::Result<std::string> new_trace_id();

}  // namespace reeve::session
