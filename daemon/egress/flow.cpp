#include "daemon/egress/flow.hpp"

#include <fcntl.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <utility>

namespace reeve::egress {
namespace {

// A pipe takes so many fragments, not bytes, and those of a socket may be large ones.
constexpr std::size_t kMostSpliced = 1024 * 1024;
constexpr unsigned kHow = SPLICE_F_NONBLOCK | SPLICE_F_MOVE;

ssize_t splice_some(int from, int to, std::size_t most) {
    ssize_t moved;
    while ((moved = ::splice(from, nullptr, to, nullptr, most, kHow)) < 0 && errno == EINTR) continue;
    return moved;
}

}  // namespace

std::size_t Flow::may_take(std::size_t most) const {
    return upload_ == nullptr ? most
                              : static_cast<std::size_t>(std::min<std::uint64_t>(most, upload_->left()));
}

void Flow::took(std::size_t bytes) {
    if (upload_ != nullptr) upload_->take(bytes);
}

Step Flow::failed() {
    code_ = errno;
    return code_ == EAGAIN ? Step::waits : Step::broken;
}

Step Flow::over_budget() {
    char byte;
    const ssize_t got = ::recv(from_, &byte, 1, MSG_PEEK | MSG_DONTWAIT);
    if (got < 0) return failed();
    return got == 0 ? pass_on_end() : Step::budget;
}

Step Flow::pass_on_end() {
    // Where the sink is gone by now, its own direction says so.
    ::shutdown(to_, SHUT_WR);
    return Step::ended;
}

Step Flow::send(const std::string& bytes, std::size_t& sent, std::size_t end) {
    const std::size_t may = may_take(end - sent);
    if (may == 0) return Step::budget;
    ssize_t done;
    while ((done = ::send(to_, bytes.data() + sent, may, MSG_NOSIGNAL | MSG_DONTWAIT)) < 0 && errno == EINTR)
        continue;
    if (done < 0) return failed();
    sent += static_cast<std::size_t>(done);
    bytes_ += static_cast<std::size_t>(done);
    took(static_cast<std::size_t>(done));
    return Step::moved;
}

SplicedFlow::SplicedFlow(int from, int to, Pipes& pipes, Upload* upload, std::string first)
    : Flow(from, to, upload), pipe_(pipes), first_(std::move(first)) {}

Step SplicedFlow::step() {
    if (!first_.empty()) return send_first();
    return in_pipe_ == 0 ? fill() : drain();
}

Step SplicedFlow::send_first() {
    const Step step = send(first_, first_sent_, first_.size());
    if (first_sent_ == first_.size()) first_ = {};
    return step;
}

Step SplicedFlow::fill() {
    const std::size_t most = may_take(kMostSpliced);
    if (most == 0) return over_budget();
    if (auto s = pipe_.need(); !s) {
        code_ = s.error().code;
        return Step::broken;
    }
    const ssize_t got = splice_some(from_, pipe_.in(), most);
    if (got > 0) {
        in_pipe_ = static_cast<std::size_t>(got);
        took(in_pipe_);
        return Step::moved;
    }
    const int code = errno;
    pipe_.give_back();
    errno = code;
    return got == 0 ? pass_on_end() : failed();
}

Step SplicedFlow::drain() {
    const ssize_t put = splice_some(pipe_.out(), to_, in_pipe_);
    if (put < 0) return failed();
    bytes_ += static_cast<std::size_t>(put);
    in_pipe_ -= static_cast<std::size_t>(put);
    return Step::moved;
}

RequestFlow::RequestFlow(int from, int to, Upload& upload, std::string first,
                         std::unique_ptr<Requests> requests, std::uint64_t released)
    : Flow(from, to, &upload), requests_(std::move(requests)), held_(std::move(first)), released_(released) {}

Step RequestFlow::step() {
    const std::size_t may_go = static_cast<std::size_t>(released_ - before_);
    if (may_go == 0) return read_more();
    std::size_t sent = 0;
    const Step step = send(held_, sent, may_go);
    before_ += sent;
    if (sent == held_.size())
        held_ = {};
    else
        held_.erase(0, sent);
    return step;
}

Step RequestFlow::read_more() {
    static thread_local std::array<char, 64 * 1024> buffer;
    ssize_t got;
    while ((got = ::recv(from_, buffer.data(), buffer.size(), MSG_DONTWAIT)) < 0 && errno == EINTR) continue;
    if (got < 0) return failed();
    if (got == 0) return pass_on_end();
    const std::string_view more(buffer.data(), static_cast<std::size_t>(got));
    held_ += more;
    const auto released = requests_->feed(more);
    if (!released) {
        why_ = released.error().why;
        return Step::mismatch;
    }
    released_ = *released;
    return Step::moved;
}

}  // namespace reeve::egress
