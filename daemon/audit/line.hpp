// Reading lines of the log, only as deep as needed: verification, queries and recovery share this.
//
// The scan knows the compact JSON that the encoder writes (no white space) and is safe on any bytes: what it
// does not understand is absent. It is no JSON parser; that a line is what was written is what the chain
// says.
#pragma once

#include <cstdint>
#include <expected>
#include <optional>
#include <string>
#include <string_view>

#include "daemon/audit/chain.hpp"
#include "platform/result.hpp"

namespace reeve::audit {

// A longer line is not a record. The log writes none: it says in an audit.gap that a record was too long.
inline constexpr std::size_t kMaxLine = 1U << 20;

enum class LineFault : std::uint8_t { kNotARecord, kNoSeq, kChainNotLast };

struct Line {
    std::string_view body;  // what the chain covers: the bytes before ,"chain":
    std::uint64_t seq = 0;
    ChainValue chain;
};

// `text` without its newline.
std::expected<Line, LineFault> parse_line(std::string_view text);

// The seq of a line of which only the start is there.
std::optional<std::uint64_t> seq_of_start(std::string_view start);

// The raw value of a member of an object (`object` starts with its brace; it may be cut off behind the
// members that are looked for). The first member of that name counts.
std::optional<std::string_view> member(std::string_view object, std::string_view name);
std::optional<std::string> text_member(std::string_view object, std::string_view name);  // unescaped
std::optional<std::uint64_t> number_member(std::string_view object, std::string_view name);

// Whole lines of a file in bounded memory (twice kMaxLine).
class LineReader {
  public:
    // `fd` stays the caller's. Reads with pread, from `offset`, up to `end`.
    explicit LineReader(int fd, std::uint64_t offset = 0, std::uint64_t end = UINT64_MAX);

    // The next line without its newline, valid until the next call; nothing at the end. May be called again
    // after the end when the file has grown. A line over kMaxLine is given cut to that length, once.
    platform::Result<std::optional<std::string_view>> next();
    // Where the line after the last one given starts.
    std::uint64_t offset() const { return offset_; }
    // At the end: what stands behind the last newline.
    std::string_view rest() const { return std::string_view(buffer_).substr(at_); }

  private:
    platform::Result<bool> fill();

    int fd_;
    std::uint64_t offset_;  // of buffer_[at_] in the file
    std::uint64_t end_;
    std::string buffer_;
    std::size_t at_ = 0;
    std::size_t searched_ = 0;  // no newline in buffer_[at_, searched_)
    bool skipping_ = false;     // inside of a line that was too long
};

}  // namespace reeve::audit
