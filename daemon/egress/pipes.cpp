#include "daemon/egress/pipes.hpp"

#include <fcntl.h>

#include <utility>

namespace reeve::egress {
namespace {

constexpr int kSize = 256 * 1024;

}  // namespace

platform::Result<Pipe> Pipes::borrow() {
    if (!kept_.empty()) {
        Pipe pipe = std::move(kept_.back());
        kept_.pop_back();
        ++lent_;
        return pipe;
    }
    int ends[2];
    if (::pipe2(ends, O_CLOEXEC | O_NONBLOCK) != 0) return platform::os_error("make a pipe", "");
    Pipe pipe{platform::Fd(ends[0]), platform::Fd(ends[1])};
    // Refused where this user has many: a smaller one works as well.
    ::fcntl(pipe.in.get(), F_SETPIPE_SZ, kSize);
    ++lent_;
    return pipe;
}

void Pipes::give_back(Pipe pipe) {
    --lent_;
    if (kept_.size() < most_kept_) kept_.push_back(std::move(pipe));
}

platform::Status Lent::need() {
    if (pipe_) return {};
    auto pipe = pipes_.borrow();
    if (!pipe) return std::unexpected(pipe.error());
    pipe_ = std::move(*pipe);
    return {};
}

void Lent::give_back() {
    if (pipe_) pipes_.give_back(std::exchange(pipe_, {}));
}

void Lent::drop() {
    if (!pipe_) return;
    pipe_ = {};
    --pipes_.lent_;
}

}  // namespace reeve::egress
