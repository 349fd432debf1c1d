// What `reeve audit verify` does, without a daemon: the chain, the checkpoints' signatures by the device's
// public key, and the last checkpoint that the state directory knows, so that a tail that was cut off is
// missed.
//
// Who may read these files is for their modes to say (root, and the group reeve-audit).
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "daemon/api/message.hpp"

namespace reeve::api {

struct AuditPlaces {
    std::string log;         // a directory
    std::string state;       // the daemon's; empty: none, for a log of another machine
    std::string key;         // a file with the public key (JWK or JWK Set); empty: the state directory's
    std::string checkpoint;  // a file with a checkpoint kept elsewhere; empty: the state directory's
};

struct AuditVerdict {
    bool ok = false;
    std::string text;                  // one line: the counts, or the first bad record and what is wrong
    std::vector<std::string> missing;  // what could not be checked, and why
    Json json;                         // the report's members
};

// An Error is what kept the log from being read, and no verdict. A key or checkpoint that was named and is
// not in order is an Error; one that the state directory just does not have is said in `missing`.
platform::Result<AuditVerdict> verify_log(const AuditPlaces& places);

}  // namespace reeve::api
