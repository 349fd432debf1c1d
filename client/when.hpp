// Points in time as people type them.
#pragma once

#include <chrono>
#include <string>

#include "daemon/api/message.hpp"

namespace reeve::client {

using Seconds = std::chrono::sys_seconds;

// "90s", "10m", "2h", "3d", "1w" before `now`; a date (its start, in the local time zone); or RFC 3339, which
// is passed on as it is. Gives RFC 3339.
platform::Result<std::string> parse_since(const std::string& text, Seconds now);

std::string rfc3339(Seconds time);  // "2026-11-23T19:02:11Z"

// An RFC 3339 time for people: "2026-11-23 19:02:11" in the local time zone; another text as it is.
std::string local_time(const std::string& text);

}  // namespace reeve::client
