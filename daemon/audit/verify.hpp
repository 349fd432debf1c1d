// Whether a log is whole: every record, in order, chained from a start that is either the first record or
// what a signed checkpoint names, up to at least what the checkpoints say. Names the first record that is not
// right.
//
// Streams the segments in bounded memory, and believes no file name. Not covered: what nobody ever signed.
// Whoever can write the files can rewrite what stands behind the last checkpoint that is known elsewhere.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "platform/result.hpp"

namespace reeve::audit {

// Checks a compact JWS against the device's public key and gives its payload.
using CheckSignature = std::function<platform::Result<std::string>(std::string_view compact)>;

enum class Problem : std::uint8_t {
    kNone,
    kNotARecord,         // a line that is no record of this schema, or longer than any
    kNoSeq,              // its seq cannot be read
    kChainNotLast,       // chain is not its last member, or no SHA-256
    kSeqNotConsecutive,  // removed, inserted, swapped, repeated; a missing, repeated or restored older
                         // segment
    kChainBroken,        // the bytes are not those that were chained
    kTornLine,           // bytes without a newline where no writer is at work
    kBadSignature,       // of a checkpoint
    kWrongCheckpoint,    // signed, but it says other than what the log holds
    kStartMissing,       // what stood before the first record is gone, and no retention is on record
    kTailCut,            // the log ends before a checkpoint that is known from elsewhere
    kEmpty,              // no record at all, though a checkpoint is known
};
std::string_view word(Problem problem);  // "seq_not_consecutive"

struct VerifyOptions {
    CheckSignature check = {};  // null: signatures are not checked, and the report says so
    // The latest checkpoint as it is known from elsewhere: load_checkpoint() of the state directory, or a
    // file.
    std::optional<std::string> checkpoint = {};
};

struct VerifyReport {
    Problem problem = Problem::kNone;
    std::string file;        // where the first bad record is
    std::uint64_t line = 0;  // of that file, from 1
    std::uint64_t seq = 0;   // that it has, or should have
    std::string what;        // one phrase for people

    std::uint64_t segments = 0, records = 0, bytes = 0;
    std::uint64_t first_seq = 0, last_seq = 0;
    std::string last_chain;  // hex
    std::uint64_t checkpoints = 0, unsigned_checkpoints = 0;
    std::uint64_t signatures_checked = 0;  // 0 where no key was given
    std::uint64_t gaps = 0, lost = 0;      // audit.gap records, and the records that they count as lost
    std::uint64_t seen = 0, recorded = 0, coalesced = 0;  // sums of those details, where records have them
    bool live = false;  // a writer is at work: an unfinished last line is none of ours

    bool ok() const { return problem == Problem::kNone; }
    std::string text() const;  // one line, the failure or the counts
};

// `directory` from open_directory(). An Error is what kept the log from being read, and no verdict.
platform::Result<VerifyReport> verify(int directory, const VerifyOptions& options);

}  // namespace reeve::audit
