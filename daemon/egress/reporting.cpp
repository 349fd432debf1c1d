#include "daemon/egress/reporting.hpp"

#include <fcntl.h>
#include <sys/epoll.h>
#include <sys/socket.h>

#include <utility>

#include "platform/linux/seqpacket.hpp"

namespace reeve::egress {
Reporting::Reporting(platform::EventLoop& loop, platform::Fd control, Options options,
                     std::function<void(bool)> room, std::function<void()> over)
    : loop_(loop),
      control_(std::move(control)),
      options_(options),
      room_(std::move(room)),
      over_(std::move(over)) {}

Reporting::~Reporting() {
    if (timer_ != 0) loop_.cancel(timer_);
    if (control_) loop_.forget(control_.get());
}

platform::Status Reporting::start() {
    const int flags = ::fcntl(control_.get(), F_GETFL);
    if (flags < 0 || ::fcntl(control_.get(), F_SETFL, flags | O_NONBLOCK) != 0)
        return platform::os_error("prepare the control socket", "");
    return loop_.watch(control_.get(), EPOLLIN, [this](std::uint32_t events) { on_control(events); });
}

void Reporting::add(const Report& report) {
    const std::size_t bytes = encode(report).size();
    if (open_bytes_ + bytes > platform::kMaxPacket) {
        close_packet();
        send();
    }
    open_.push_back(report);
    open_bytes_ += bytes;
    if (timer_ == 0)
        timer_ = loop_.after(options_.window, [this] {
            timer_ = 0;
            flush();
        });
}

void Reporting::close_packet() {
    std::string packet;
    packet.reserve(open_bytes_);
    for (const Report& report : open_) packet += encode(report);
    open_.clear();
    open_bytes_ = 0;
    if (control_ && !packet.empty()) waiting_.push_back(std::move(packet));
}

void Reporting::flush() {
    // While reeved takes nothing it grows until it is full.
    if (!blocked_ || finishing_) close_packet();
    send();
}

void Reporting::send() {
    while (control_ && !waiting_.empty()) {
        const auto sent = platform::send_packet(control_.get(), waiting_.front());
        if (!sent && sent.error().code == EAGAIN) break;
        if (!sent) return gone();
        waiting_.pop_front();
    }
    const bool blocked = control_ && !waiting_.empty();
    if (blocked != blocked_) {
        blocked_ = blocked;
        listen();
        if (!blocked_ && !open_.empty() && timer_ == 0) flush();
    }
    say_room();
    if (waiting_.empty() && open_.empty() && sent_) {
        const auto all_sent = std::exchange(sent_, nullptr);
        loop_.post(all_sent);
    }
}

void Reporting::listen() {
    const std::uint32_t events = (was_over_ ? 0U : EPOLLIN) | (blocked_ ? EPOLLOUT : 0U);
    (void)loop_.watch(control_.get(), events, [this](std::uint32_t got) { on_control(got); });
}

void Reporting::on_control(std::uint32_t events) {
    if (!was_over_ && (events & (EPOLLIN | EPOLLHUP | EPOLLERR)) != 0) {
        const auto packet = platform::receive_packet(control_.get(), MSG_DONTWAIT);
        const bool nothing_yet = packet ? !packet->end : packet.error().code == EAGAIN;
        if (!nothing_yet) {
            was_over_ = true;
            listen();
            over_();
        }
    }
    // Hung up is not told apart from a sending side that was shut down until something is sent.
    if ((events & (EPOLLOUT | EPOLLHUP | EPOLLERR)) != 0) send();
    if ((events & (EPOLLHUP | EPOLLERR)) != 0 && was_over_) gone();
}

void Reporting::say_room() {
    const bool room = !control_ || has_room();
    if (room != said_room_) {
        said_room_ = room;
        room_(room);
    }
}

void Reporting::gone() {
    if (!control_) return;
    loop_.forget(control_.get());
    control_.reset();
    waiting_.clear();
    blocked_ = false;
    if (!std::exchange(was_over_, true)) over_();
    say_room();
    if (sent_) loop_.post(std::exchange(sent_, nullptr));
}

void Reporting::finish(std::function<void()> sent) {
    finishing_ = true;
    sent_ = std::move(sent);
    if (!control_) {
        loop_.post(std::exchange(sent_, nullptr));
        return;
    }
    close_packet();
    waiting_.emplace_back(kNoMore);
    send();
}

}  // namespace reeve::egress
