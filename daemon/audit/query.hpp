// What `reeve log` asks: records of the log that fit a filter, as they stand, oldest first, and then those
// that come.
//
// Reads the segment files and asks the log for nothing; what its writer has not written yet is not seen.
// Nothing is verified here. Authority is the caller's: for a person it sets Filter::uid to theirs.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <stop_token>
#include <string>
#include <string_view>

#include "daemon/audit/glob.hpp"
#include "platform/result.hpp"

namespace reeve::audit {

// Every part that is set must hold.
struct Filter {
    std::optional<std::uint32_t> uid = {};  // actor.uid; records without one do not fit
    std::string session = {};
    std::string action = {};        // "file.read", or "file.*" for a family
    std::string decision = {};      // policy_evaluation.decision
    std::string outcome = {};       // what came of it: "denied", also where nobody had to decide
    std::optional<Glob> path = {};  // resource of file and process records, or details.target; as bytes
    std::string host =
        {};  // resource of network records: the name, without a port; "*.example.com" takes those below
    std::optional<std::int64_t> since_ns = {};  // realtime: at or after
};

// `line` without its newline.
bool fits(const Filter& filter, std::string_view line);

// Takes a line without its newline; false ends the query.
using Take = std::function<bool(std::string_view line)>;

// Runs in the caller's thread until the end of the log or, with `follow`, until `stop` or `take` ends it: it
// then sleeps on inotify. `directory` stays the caller's.
platform::Status query(int directory, const Filter& filter, bool follow, const Take& take,
                       std::stop_token stop);

}  // namespace reeve::audit
