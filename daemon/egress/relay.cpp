#include "daemon/egress/relay.hpp"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/socket.h>

#include <system_error>
#include <utility>

namespace reeve::egress {
namespace {

// Then others have their turn.
constexpr int kRounds = 16;
constexpr std::uint32_t kEvents = EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET;

void set(int socket, int level, int option, int value) {
    ::setsockopt(socket, level, option, &value, sizeof value);
}

// Bytes come in the pieces that a peer has sent, and waiting for more of them is that peer's business.
void send_at_once(int socket) {
    set(socket, IPPROTO_TCP, TCP_NODELAY, 1);
}

// The client cannot notice that the outside is gone: its own keepalive ends here.
void notice_death(int socket) {
    set(socket, SOL_SOCKET, SO_KEEPALIVE, 1);
    set(socket, IPPROTO_TCP, TCP_KEEPIDLE, 300);
    set(socket, IPPROTO_TCP, TCP_KEEPINTVL, 30);
    set(socket, IPPROTO_TCP, TCP_KEEPCNT, 6);
}

Relay::End end_of(const Flow& flow, Step step) {
    switch (step) {
        case Step::budget:
            return {"budget", "more than policy lets leave"};
        case Step::mismatch:
            return {"mismatch", flow.why()};
        default:
            return {flow.code() == ETIMEDOUT ? "timeout" : "reset",
                    std::generic_category().message(flow.code())};
    }
}

std::unique_ptr<Flow> upwards(int from, int to, Relay::Start start, Pipes& pipes, Upload& upload) {
    if (start.requests)
        return std::make_unique<RequestFlow>(from, to, upload, std::move(start.first),
                                             std::move(start.requests), start.released);
    return std::make_unique<SplicedFlow>(from, to, pipes, &upload, std::move(start.first));
}

}  // namespace

void reset(platform::Fd& socket) {
    if (!socket) return;
    const linger at_once{.l_onoff = 1, .l_linger = 0};
    ::setsockopt(socket.get(), SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
    socket.reset();
}

Relay::Relay(platform::EventLoop& loop, Pipes& pipes, Upload& upload, Start start,
             std::function<void(const End&)> ended)
    : loop_(loop),
      client_(std::move(start.client)),
      upstream_(std::move(start.upstream)),
      down_(std::make_unique<SplicedFlow>(upstream_.get(), client_.get(), pipes, nullptr)),
      ended_(std::move(ended)) {
    up_ = upwards(client_.get(), upstream_.get(), std::move(start), pipes, upload);
    send_at_once(client_.get());
    send_at_once(upstream_.get());
    notice_death(upstream_.get());
}

Relay::~Relay() {
    *alive_ = false;
    if (client_) loop_.forget(client_.get());
    if (upstream_) loop_.forget(upstream_.get());
    reset(client_);
    reset(upstream_);
}

platform::Status Relay::start() {
    // Each has room at first, so that there is an event to begin with.
    auto s = loop_.watch(client_.get(), kEvents, [this](std::uint32_t events) { on_event(true, events); });
    if (s)
        s = loop_.watch(upstream_.get(), kEvents, [this](std::uint32_t events) { on_event(false, events); });
    return s;
}

void Relay::on_event(bool of_client, std::uint32_t events) {
    pump();
    if (over_ || (events & (EPOLLERR | EPOLLHUP)) == 0) return;
    // Nobody reads from that side any more, so that nobody else would tell.
    const bool from_ended = of_client ? up_ended_ : down_ended_;
    if (from_ended) finish({"reset", "the connection was reset"});
}

void Relay::pump() {
    more_ = false;
    // Downwards first: an answer that came before a reset still arrives.
    if (!run(*down_, down_ended_) || !run(*up_, up_ended_)) return;
    if (up_ended_ && down_ended_) return finish({"closed", ""});
    if (more_) pump_later();
}

bool Relay::run(Flow& flow, bool& ended) {
    for (int i = 0; i < kRounds && !ended; ++i) {
        const Step step = flow.step();
        if (step == Step::waits) return true;
        ended = step == Step::ended;
        if (ended || step == Step::moved) continue;
        finish(end_of(flow, step));
        return false;
    }
    more_ |= !ended;
    return true;
}

void Relay::pump_later() {
    if (std::exchange(posted_, true)) return;
    loop_.post([this, alive = alive_] {
        if (!*alive || over_) return;
        posted_ = false;
        pump();
    });
}

void Relay::finish(const End& end) {
    over_ = true;
    loop_.forget(client_.get());
    loop_.forget(upstream_.get());
    if (end.how == "closed") {
        client_.reset();
        upstream_.reset();
    } else {
        reset(client_);
        reset(upstream_);
    }
    loop_.post([this, alive = alive_, end] {
        if (*alive) ended_(end);
    });
}

}  // namespace reeve::egress
