// A checkpoint: the device key signs where the chain stands. It is a record of its own (audit.checkpoint, the
// compact JWS in details.jws), the first record of each segment, and the latest is kept in the state
// directory as well, so that a tail that was cut off is missed.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "daemon/audit/chain.hpp"
#include "platform/result.hpp"

namespace reeve::audit {

struct CheckpointClaims {
    std::uint64_t seq = 0;  // of the record before the checkpoint; 0 before the first
    ChainValue chain{};     // that record's
    std::int64_t time = 0;  // seconds since 1970
    std::string
        previous_checkpoint;  // SHA-256 of the one before, as compact JWS, in hex; empty for the first
    std::optional<std::uint64_t> removed_through;  // by retention: the last seq that is no longer there
};

// The JWS payload, and back. A payload with other members than these is still read.
std::string checkpoint_payload(const CheckpointClaims& claims);
std::optional<CheckpointClaims> parse_checkpoint(std::string_view payload);
// The payload of a compact JWS, not verified.
std::optional<std::string> untrusted_payload(std::string_view compact);
std::string checkpoint_hash(std::string_view compact);  // what previous_checkpoint names

// details.jws of a line whose action is audit.checkpoint, else nothing.
std::optional<std::string> checkpoint_of(std::string_view line);

// audit-checkpoint.jws of the state directory: 0600, replaced as a whole and made durable.
platform::Status store_checkpoint(int state, const std::string& compact);
platform::Result<std::optional<std::string>> load_checkpoint(int state);

}  // namespace reeve::audit
