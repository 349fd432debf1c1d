#include "daemon/audit/verify.hpp"

#include <array>

#include "daemon/audit/checkpoint.hpp"
#include "daemon/audit/line.hpp"
#include "daemon/audit/segment.hpp"

namespace reeve::audit {
namespace {

using platform::Result;

constexpr std::array<std::string_view, 12> kWords = {
    "none",         "not_a_record", "no_seq",        "chain_not_last",   "seq_not_consecutive",
    "chain_broken", "torn_line",    "bad_signature", "wrong_checkpoint", "start_missing",
    "tail_cut",     "empty",
};

Problem problem_of(LineFault fault) {
    switch (fault) {
        case LineFault::kNotARecord:
            return Problem::kNotARecord;
        case LineFault::kNoSeq:
            return Problem::kNoSeq;
        case LineFault::kChainNotLast:
            return Problem::kChainNotLast;
    }
    return Problem::kNotARecord;
}

std::string number(std::uint64_t value) {
    return std::to_string(value);
}

class Verifier {
  public:
    explicit Verifier(const VerifyOptions& options) : options_(options) {}

    Result<VerifyReport> run(int directory);

  private:
    // Each gives false once a problem has been found.
    Result<bool> segment(int directory, const Segment& segment, bool last);
    bool line(std::string_view text);
    bool follows(const Line& line);
    bool starts(const Line& line);
    bool checkpoint(const Line& line, std::string_view details);
    bool external(std::uint64_t seq, const ChainValue& chain);
    bool end();
    void count(std::string_view action, std::string_view details);
    std::optional<CheckpointClaims> claims(std::string_view compact, std::string& why);
    bool fail(Problem problem, std::uint64_t seq, std::string what);

    const VerifyOptions& options_;
    VerifyReport report_;
    Chain chain_;
    ChainValue before_{};  // the chain's value before the line in hand
    std::optional<CheckpointClaims> external_;
    std::string last_checkpoint_;  // JWS
    std::optional<std::uint64_t> removed_through_;
    std::string file_;
    std::uint64_t line_ = 0;
};

bool Verifier::fail(Problem problem, std::uint64_t seq, std::string what) {
    report_.problem = problem;
    report_.file = file_;
    report_.line = line_;
    report_.seq = seq;
    report_.what = std::move(what);
    return false;
}

std::optional<CheckpointClaims> Verifier::claims(std::string_view compact, std::string& why) {
    std::optional<std::string> payload;
    if (options_.check) {
        auto checked = options_.check(compact);
        if (!checked) {
            why = checked.error().why;
            return std::nullopt;
        }
        ++report_.signatures_checked;
        payload = std::move(*checked);
    } else {
        payload = untrusted_payload(compact);
    }
    auto claims = payload ? parse_checkpoint(*payload) : std::nullopt;
    if (!claims) why = "it is no checkpoint";
    return claims;
}

Result<VerifyReport> Verifier::run(int directory) {
    // Asked before anything is read: a writer that ends meanwhile leaves nothing unfinished behind.
    report_.live = has_writer(directory);
    if (options_.checkpoint) {
        std::string why;
        external_ = claims(*options_.checkpoint, why);
        if (!external_) {
            fail(Problem::kBadSignature, 0, "the checkpoint to verify against is not good: " + why);
            return report_;
        }
    }
    const auto segments = list_segments(directory);
    if (!segments) return std::unexpected(segments.error());
    for (std::size_t i = 0; i < segments->size(); ++i) {
        const auto good = segment(directory, (*segments)[i], i + 1 == segments->size());
        if (!good) return std::unexpected(good.error());
        if (!*good) return report_;
    }
    end();
    report_.last_chain = hex(chain_.value());
    return report_;
}

Result<bool> Verifier::segment(int directory, const Segment& segment, bool last) {
    const auto file = open_segment(directory, segment.name);
    // Retention of a living writer may have been faster. If it was not that, the next record does not follow.
    if (!file && file.error().code == ENOENT) return true;
    if (!file) return std::unexpected(file.error());
    file_ = segment.name;
    line_ = 0;
    ++report_.segments;
    LineReader lines(file->get());
    for (;;) {
        const auto text = lines.next();
        if (!text) return std::unexpected(text.error());
        if (!*text) break;
        ++line_;
        if (!line(**text)) return false;
        report_.bytes += (*text)->size() + 1;
    }
    if (!lines.rest().empty() && !(last && report_.live)) {
        ++line_;
        return fail(Problem::kTornLine, report_.last_seq + 1,
                    number(lines.rest().size()) + " bytes without an end of line");
    }
    return true;
}

bool Verifier::line(std::string_view text) {
    const auto parsed = parse_line(text);
    const std::uint64_t expected = report_.last_seq + 1;
    if (!parsed) return fail(problem_of(parsed.error()), expected, "this line is no whole record");
    if (!(report_.records == 0 ? starts(*parsed) : follows(*parsed))) return false;
    before_ = chain_.value();
    chain_.add(parsed->body);
    if (chain_.value() != parsed->chain) {
        return fail(Problem::kChainBroken, parsed->seq, "its bytes are not those that were chained");
    }
    ++report_.records;
    report_.last_seq = parsed->seq;

    const std::string action = text_member(parsed->body, "action").value_or("");
    const auto details = member(parsed->body, "details");
    if (action == "audit.checkpoint" && !checkpoint(*parsed, details.value_or(""))) return false;
    if (details) count(action, *details);
    return external(parsed->seq, parsed->chain);
}

bool Verifier::follows(const Line& line) {
    const std::uint64_t expected = report_.last_seq + 1;
    if (line.seq == expected) return true;
    return fail(Problem::kSeqNotConsecutive, line.seq,
                "record " + number(line.seq) + " stands where " + number(expected) + " should: " +
                    (line.seq > expected ? "records are missing" : "records are repeated or out of order"));
}

// The chain's start: zero, or what the first record, a signed checkpoint, names.
bool Verifier::starts(const Line& line) {
    report_.first_seq = line.seq;
    if (line.seq == 1) return true;
    const auto jws = checkpoint_of(line.body);
    if (!jws) {
        return fail(Problem::kStartMissing, line.seq,
                    "the log starts at record " + number(line.seq) + ", which is no signed checkpoint");
    }
    std::string why;
    const auto start = claims(*jws, why);
    if (!start) return fail(Problem::kBadSignature, line.seq, "its checkpoint is not good: " + why);
    chain_.restart(start->chain);
    return external(start->seq, start->chain);
}

bool Verifier::checkpoint(const Line& line, std::string_view details) {
    ++report_.checkpoints;
    const auto jws = text_member(details, "jws");
    if (!jws) {
        ++report_.unsigned_checkpoints;
        return true;
    }
    std::string why;
    const auto signed_claims = claims(*jws, why);
    if (!signed_claims) return fail(Problem::kBadSignature, line.seq, "its checkpoint is not good: " + why);
    if (signed_claims->seq + 1 != line.seq || before_ != signed_claims->chain) {
        return fail(Problem::kWrongCheckpoint, line.seq,
                    "its checkpoint is signed for another place in a log");
    }
    const std::string& previous = signed_claims->previous_checkpoint;
    if (!previous.empty() && !last_checkpoint_.empty() && previous != checkpoint_hash(last_checkpoint_)) {
        return fail(Problem::kWrongCheckpoint, line.seq, "it does not name the checkpoint before it");
    }
    if (signed_claims->removed_through) removed_through_ = signed_claims->removed_through;
    last_checkpoint_ = *jws;
    return true;
}

bool Verifier::external(std::uint64_t seq, const ChainValue& chain) {
    if (!external_ || external_->seq != seq || external_->chain == chain) return true;
    return fail(Problem::kWrongCheckpoint, seq,
                "the checkpoint to verify against names another chain value here");
}

bool Verifier::end() {
    if (report_.records == 0) {
        return !external_ || fail(Problem::kEmpty, 1, "no record is left");
    }
    if (report_.first_seq != 1 && (!removed_through_ || *removed_through_ + 1 < report_.first_seq)) {
        file_.clear();
        line_ = 0;
        return fail(
            Problem::kStartMissing, report_.first_seq - 1,
            "the log starts at record " + number(report_.first_seq) + ", and no retention is on record");
    }
    // The checkpoint is a record itself, the one after the record that it names.
    if (external_ && external_->seq >= report_.last_seq) {
        ++line_;
        return fail(
            Problem::kTailCut, report_.last_seq + 1,
            "the log ends here, but record " + number(external_->seq + 1) + ", a checkpoint, is known");
    }
    return true;
}

void Verifier::count(std::string_view action, std::string_view details) {
    const auto sum = [&](std::string_view name, std::uint64_t& total) {
        total += number_member(details, name).value_or(0);
    };
    if (action == "audit.gap") {
        ++report_.gaps;
        sum("lost", report_.lost);
    }
    sum("seen", report_.seen);
    sum("recorded", report_.recorded);
    sum("coalesced", report_.coalesced);
}

}  // namespace

std::string_view word(Problem problem) {
    return kWords[static_cast<std::size_t>(problem)];
}

std::string VerifyReport::text() const {
    if (!ok()) {
        std::string place = file.empty() ? "" : file + ":" + number(line) + ": ";
        return place + "record " + number(seq) + ": " + what + " (" + std::string(word(problem)) + ")";
    }
    return number(records) + " records (" + number(first_seq) + " to " + number(last_seq) + ") in " +
           number(segments) + " segments, " + number(checkpoints) + " checkpoints (" +
           number(signatures_checked) + " signatures checked), " + number(gaps) + " gaps, " + number(lost) +
           " records lost";
}

Result<VerifyReport> verify(int directory, const VerifyOptions& options) {
    return Verifier(options).run(directory);
}

}  // namespace reeve::audit
