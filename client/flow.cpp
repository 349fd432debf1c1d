#include "client/flow.hpp"

#include <fcntl.h>
#include <limits.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>

namespace reeve::client {
namespace {

constexpr char kControlD = 4;

void never_block(int fd) {
    const int flags = ::fcntl(fd, F_GETFL);
    if (flags >= 0) (void)::fcntl(fd, F_SETFL, flags | O_NONBLOCK);
}

bool has_room(int sink) {
    pollfd one{.fd = sink, .events = POLLOUT, .revents = 0};
    return ::poll(&one, 1, 0) == 1 && one.revents == POLLOUT;
}

bool later(int error) {
    return error == EAGAIN || error == EWOULDBLOCK || error == EINTR;
}

}  // namespace

Side Side::persons(int fd) {
    Side side;
    side.fd_ = fd;
    side.blocks_ = true;
    struct stat status {};
    const bool file = ::fstat(fd, &status) == 0 && S_ISREG(status.st_mode);
    // poll(2) promises room for PIPE_BUF bytes of a pipe; a write of more could block.
    if (!file) side.promised_ = PIPE_BUF;
    return side;
}

Side Side::sessions(platform::Fd pipe) {
    Side side;
    side.fd_ = pipe.get();
    side.owned_ = std::move(pipe);
    never_block(side.fd_);
    return side;
}

Side Side::sessions_terminal(int master) {
    Side side;
    side.fd_ = master;
    never_block(master);
    return side;
}

void Side::end() {
    owned_.reset();
    fd_ = -1;
}

void Flow::wait_for(std::vector<pollfd>& all) {
    source_at_ = sink_at_ = -1;
    const auto add = [&](int fd, short events) {
        all.push_back({.fd = fd, .events = events, .revents = 0});
        return static_cast<int>(all.size()) - 1;
    };
    // Left out while it is not read: poll(2) reports POLLHUP whether asked or not, and would never sleep.
    if (source_open_ && !held_ && !finishing_ && waiting() < kFlowBytes)
        source_at_ = add(from_.get(), POLLIN);
    // Without bytes to write too: the reader's going away is passed on when it happens.
    if (sink_open_) sink_at_ = add(to_.get(), waiting() > 0 ? POLLOUT : 0);
}

void Flow::move(const std::vector<pollfd>& all) {
    const auto events = [&](int at) { return at < 0 ? 0 : all[static_cast<std::size_t>(at)].revents; };
    const int source = events(source_at_), sink = events(sink_at_);
    if ((sink & (POLLERR | POLLHUP | POLLNVAL)) != 0 && (waiting() == 0 || (sink & POLLOUT) == 0)) {
        give_up(0);
        return;
    }
    if (source != 0 && source_open_ && !held_) (void)read_once();
    // What the session's side holds is free to be written at once; the person's only when poll(2) said so.
    if (waiting() > 0 && ((sink & POLLOUT) != 0 || !to_.blocks())) put_out();
    if (finishing_) take_in();
}

void Flow::finish(std::size_t most) {
    finishing_ = true;
    left_ = most;
    take_in();
}

void Flow::finish_with_what_is_there() {
    int count = 0;
    if (source_open_ && ::ioctl(from_.get(), FIONREAD, &count) != 0) count = 0;
    finish(static_cast<std::size_t>(std::max(count, 0)));
}

void Flow::take_in() {
    while (source_open_ && left_ > 0 && waiting() < kFlowBytes)
        if (!read_once()) break;
    if (left_ == 0) end_source();
}

bool Flow::read_once() {
    if (!source_open_) return false;
    buffer_.erase(0, taken_);
    taken_ = 0;
    const std::size_t before = buffer_.size();
    std::size_t room = kFlowBytes - before;
    if (finishing_) room = std::min(room, left_);
    if (room == 0) return false;
    // Not filled with zeros before: of 64 KiB most reads touch a page.
    ssize_t got = 0;
    int error = 0;
    buffer_.resize_and_overwrite(before + room, [&](char* data, std::size_t) {
        got = ::read(from_.get(), data + before, room);
        error = errno;
        return before + static_cast<std::size_t>(std::max<ssize_t>(got, 0));
    });
    if (got < 0 && later(error)) {
        if (error == EINTR || !finishing_) return error == EINTR;
        end_source();  // nothing is there now
        return false;
    }
    if (got > 0) left_ -= std::min(left_, static_cast<std::size_t>(got));
    if (end_of_data_ == EndOfData::kIsControlD && got >= 0) {
        if (got == 0 || buffer_.back() != '\n') buffer_.push_back(kControlD);
        return true;
    }
    if (drop_returns_) drop_returns_from(before);
    // EIO is how the master side of a terminal says that nobody has the other one any more.
    if (got <= 0) end_source();
    return got > 0;
}

// One that ends a piece stays: it is of no harm where a line feed follows it after all.
void Flow::drop_returns_from(std::size_t start) {
    std::size_t to = start;
    for (std::size_t from = start; from < buffer_.size(); ++from) {
        const bool drop = buffer_[from] == '\r' && from + 1 < buffer_.size() && buffer_[from + 1] == '\n';
        if (!drop) buffer_[to++] = buffer_[from];
    }
    buffer_.resize(to);
}

void Flow::put_out() {
    while (waiting() > 0 && sink_open_) {
        const ssize_t put = ::write(to_.get(), buffer_.data() + taken_, std::min(waiting(), to_.promised()));
        if (put < 0 && later(errno)) break;
        if (put < 0) return give_up(errno);
        taken_ += static_cast<std::size_t>(put);
        if (to_.blocks() && !has_room(to_.get())) break;
    }
    if (waiting() > 0) return;
    buffer_.clear();
    taken_ = 0;
    if (!source_open_) {
        to_.end();
        sink_open_ = false;
    }
}

void Flow::end_source() {
    if (!source_open_) return;
    source_open_ = false;
    from_.end();
    if (waiting() == 0 && sink_open_) {
        to_.end();
        sink_open_ = false;
    }
}

// The reader is gone. So is the pipe then: the session's command gets SIGPIPE, as it would without Reeve.
void Flow::give_up(int error) {
    if (error != 0 && error != EPIPE && error != EIO) write_error_ = error;
    buffer_.clear();
    taken_ = 0;
    to_.end();
    sink_open_ = false;
    source_open_ = false;
    from_.end();
}

}  // namespace reeve::client
