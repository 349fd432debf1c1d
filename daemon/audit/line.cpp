#include "daemon/audit/line.hpp"

#include <unistd.h>

#include <charconv>

#include "daemon/audit/text.hpp"

namespace reeve::audit {
namespace {

constexpr std::string_view kStart = "{\"schema\":\"reeve.audit/1\",\"seq\":";
constexpr std::size_t kBlock = 256U << 10;

// The place behind the string that starts at text[at] (its quote), or npos.
std::size_t skip_string(std::string_view text, std::size_t at) {
    for (++at;; at += 2) {
        at = text.find_first_of("\"\\", at);
        if (at == std::string_view::npos) return at;
        if (text[at] == '"') return at + 1;
    }
}

// The place behind the value that starts at text[at], or npos.
std::size_t skip_value(std::string_view text, std::size_t at) {
    std::size_t depth = 0;
    while (at < text.size()) {
        const char c = text[at];
        if (c == '"') {
            at = skip_string(text, at);
            if (at == std::string_view::npos) return at;
        } else if (c == '{' || c == '[') {
            ++depth, ++at;
        } else if (c == '}' || c == ']') {
            if (depth == 0) return std::string_view::npos;
            --depth, ++at;
        } else {
            at = text.find_first_of(depth == 0 ? ",}]" : "\"{}[]", at);
            if (at == std::string_view::npos) return depth == 0 ? text.size() : at;
        }
        if (depth == 0) return at;
    }
    return std::string_view::npos;
}

std::optional<std::uint64_t> number(std::string_view text) {
    std::uint64_t value = 0;
    const auto [end, failed] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (failed != std::errc() || end != text.data() + text.size()) return std::nullopt;
    return value;
}

}  // namespace

std::optional<std::uint64_t> seq_of_start(std::string_view start) {
    const std::size_t comma = start.find(',', std::min(start.size(), kStart.size()));
    if (!start.starts_with(kStart) || comma == std::string_view::npos) return std::nullopt;
    const std::string_view digits = start.substr(kStart.size(), comma - kStart.size());
    if (digits.starts_with('0')) return std::nullopt;
    return number(digits);
}

std::expected<Line, LineFault> parse_line(std::string_view text) {
    if (!text.starts_with(kStart)) return std::unexpected(LineFault::kNotARecord);
    const auto seq = seq_of_start(text);
    if (!seq) return std::unexpected(LineFault::kNoSeq);
    if (text.size() < kStart.size() + kChainTail) return std::unexpected(LineFault::kChainNotLast);
    const std::string_view tail = text.substr(text.size() - kChainTail);
    const auto chain = from_hex(tail.substr(kChainMember.size(), 64));
    if (!tail.starts_with(kChainMember) || !tail.ends_with("\"}") || !chain) {
        return std::unexpected(LineFault::kChainNotLast);
    }
    return Line{.body = text.substr(0, text.size() - kChainTail), .seq = *seq, .chain = *chain};
}

std::optional<std::string_view> member(std::string_view object, std::string_view name) {
    if (!object.starts_with('{')) return std::nullopt;
    for (std::size_t at = 1; at < object.size() && object[at] == '"';) {
        const std::size_t key_end = skip_string(object, at);
        if (key_end == std::string_view::npos || key_end >= object.size() || object[key_end] != ':') break;
        const std::size_t value_end = skip_value(object, key_end + 1);
        if (value_end == std::string_view::npos) break;
        if (object.substr(at + 1, key_end - at - 2) == name) {
            return object.substr(key_end + 1, value_end - key_end - 1);
        }
        if (value_end >= object.size() || object[value_end] != ',') break;
        at = value_end + 1;
    }
    return std::nullopt;
}

std::optional<std::string> text_member(std::string_view object, std::string_view name) {
    const auto value = member(object, name);
    if (!value || value->size() < 2 || value->front() != '"') return std::nullopt;
    return unescape(value->substr(1, value->size() - 2));
}

std::optional<std::uint64_t> number_member(std::string_view object, std::string_view name) {
    const auto value = member(object, name);
    return value ? number(*value) : std::nullopt;
}

LineReader::LineReader(int fd, std::uint64_t offset, std::uint64_t end)
    : fd_(fd), offset_(offset), end_(end) {}

platform::Result<bool> LineReader::fill() {
    buffer_.erase(0, at_);
    searched_ -= at_;
    at_ = 0;
    const std::uint64_t from = offset_ + buffer_.size();
    if (from >= end_) return false;
    const std::size_t had = buffer_.size();
    buffer_.resize(had + std::min<std::uint64_t>(kBlock, end_ - from));
    const ssize_t got = ::pread(fd_, buffer_.data() + had, buffer_.size() - had, static_cast<off_t>(from));
    const int code = errno;
    buffer_.resize(had + static_cast<std::size_t>(std::max<ssize_t>(got, 0)));
    if (got < 0 && code != EINTR) return platform::os_error("read a segment of the audit log", "", code);
    return got != 0;
}

platform::Result<std::optional<std::string_view>> LineReader::next() {
    for (;;) {
        const std::size_t newline = buffer_.find('\n', searched_);
        if (newline != std::string::npos) {
            const std::string_view line = std::string_view(buffer_).substr(at_, newline - at_);
            offset_ += newline + 1 - at_;
            at_ = searched_ = newline + 1;
            if (std::exchange(skipping_, false)) continue;
            return line;
        }
        searched_ = buffer_.size();
        if (buffer_.size() - at_ > kMaxLine) {
            const std::string_view line = std::string_view(buffer_).substr(at_, kMaxLine);
            offset_ += buffer_.size() - at_;
            at_ = buffer_.size();
            if (std::exchange(skipping_, true)) continue;
            return line;
        }
        const auto more = fill();
        if (!more) return std::unexpected(more.error());
        if (!*more) return std::nullopt;
    }
}

}  // namespace reeve::audit
