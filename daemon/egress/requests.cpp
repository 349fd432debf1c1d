// Where each request ends: which bytes are heads, lengths of chunks and bodies.
#include <algorithm>
#include <charconv>

#include "daemon/egress/first_bytes.hpp"
#include "daemon/egress/request_head.hpp"

namespace reeve::egress {
namespace {

constexpr std::size_t kMostHead = std::size_t{64} << 10;
constexpr std::size_t kMostSizeLine = 16;  // hexadecimal digits of 64 bits

// RFC 9112 section 7.1, without extensions: nobody sends them, and readers differ about where they end.
std::optional<std::uint64_t> chunk_size(std::string_view line) {
    std::uint64_t size = 0;
    const auto [end, error] = std::from_chars(line.data(), line.data() + line.size(), size, 16);
    if (line.empty() || line.size() > kMostSizeLine || line.starts_with('-') || error != std::errc{} ||
        end != line.data() + line.size())
        return std::nullopt;
    return size;
}

enum class Part : std::uint8_t { head, body, chunk_size, chunk_data, chunk_end, last_line };

}  // namespace

struct Requests::State {
    std::string host;
    std::uint16_t port;
    Part part = Part::head;
    std::string held;        // of a head, or of a line between chunks
    std::size_t line = 0;    // where the last line in `held` begins
    std::uint64_t left = 0;  // of the body or chunk
    std::uint64_t passed = 0;
    std::optional<platform::Error> fault;

    std::unexpected<platform::Error> wrong(std::string why) {
        auto error = wrong_request(host, std::move(why));
        fault = error.error();
        return error;
    }
    platform::Result<std::size_t> take_data(std::string_view from);
    platform::Result<std::size_t> take_line(std::string_view from);
    platform::Status end_line();
    platform::Status end_head();
    platform::Status begin_chunk();
    void pass_held(Part next);
};

// Gives how many bytes of `from` it took.
platform::Result<std::size_t> Requests::State::take_data(std::string_view from) {
    const auto size = static_cast<std::size_t>(std::min<std::uint64_t>(left, from.size()));
    left -= size;
    passed += size;
    if (left == 0) part = part == Part::body ? Part::head : Part::chunk_end;
    return size;
}

// To the end of one line or of `from`. A line ends in CRLF; neither byte stands anywhere else, nor does a NUL.
platform::Result<std::size_t> Requests::State::take_line(std::string_view from) {
    const bool after_cr = held.size() > line && held.back() == '\r';
    const auto at = after_cr ? 0 : from.find_first_of(std::string_view("\r\n\0", 3));
    if (after_cr != (at < from.size() && from[at] == '\n') || (at < from.size() && from[at] == '\0'))
        return wrong("a line of it does not end in CR LF, or has a NUL");
    const auto size = at == std::string_view::npos ? from.size() : at + 1;
    if (held.size() + size > kMostHead) return wrong("its head is longer than 64 KiB");
    held.append(from.substr(0, size));
    if (after_cr)
        if (auto done = end_line(); !done) return std::unexpected(done.error());
    return size;
}

platform::Status Requests::State::end_line() {
    const auto text = std::string_view(held).substr(line, held.size() - line - 2);
    switch (part) {
        case Part::head:
            if (text.empty()) return end_head();
            line = held.size();
            return {};
        case Part::chunk_size:
            return begin_chunk();
        case Part::chunk_end:
        case Part::last_line:
            if (!text.empty())
                return wrong(part == Part::last_line ? "it has fields behind its body"
                                                     : "a chunk of it is longer than it said");
            pass_held(part == Part::last_line ? Part::head : Part::chunk_size);
            return {};
        default:
            return {};
    }
}

platform::Status Requests::State::end_head() {
    const auto body = read_request_head(held, host, port);
    if (!body) {
        fault = body.error();
        return std::unexpected(body.error());
    }
    left = body->length;
    pass_held(body->chunked ? Part::chunk_size : left != 0 ? Part::body : Part::head);
    return {};
}

platform::Status Requests::State::begin_chunk() {
    const auto size = chunk_size(std::string_view(held).substr(0, held.size() - 2));
    if (!size) return wrong("the size of a chunk of it is no number");
    left = *size;
    pass_held(left != 0 ? Part::chunk_data : Part::last_line);
    return {};
}

void Requests::State::pass_held(Part next) {
    passed += held.size();
    held.clear();
    line = 0;
    part = next;
}

Requests::Requests(std::string host, std::uint16_t port) : state_(std::make_unique<State>()) {
    state_->host = std::move(host);
    state_->port = port;
}

Requests::~Requests() = default;

platform::Result<std::uint64_t> Requests::feed(std::string_view more) {
    State& state = *state_;
    if (state.fault) return std::unexpected(*state.fault);
    while (!more.empty()) {
        const bool data = state.part == Part::body || state.part == Part::chunk_data;
        const auto taken = data ? state.take_data(more) : state.take_line(more);
        if (!taken) return std::unexpected(taken.error());
        more.remove_prefix(*taken);
    }
    return state.passed;
}

}  // namespace reeve::egress
