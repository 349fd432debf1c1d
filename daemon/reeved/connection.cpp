#include "daemon/reeved/connection.hpp"

#include <sys/epoll.h>
#include <sys/socket.h>

#include <utility>

namespace reeve::daemon {

Connection::Connection(platform::EventLoop& loop, platform::Fd socket, Peer peer, Request request,
                       std::function<void()> closed)
    : loop_(loop),
      socket_(std::move(socket)),
      peer_(std::move(peer)),
      request_(std::move(request)),
      closed_(std::move(closed)) {}

Connection::~Connection() {
    if (socket_) loop_.forget(socket_.get());
}

platform::Status Connection::watch() {
    return loop_.watch(socket_.get(), EPOLLIN | EPOLLRDHUP, [this](std::uint32_t) {
        const auto self = shared_from_this();  // it may be let go of meanwhile
        read();
    });
}

// One packet a turn, so that no client keeps the others waiting.
void Connection::read() {
    auto message = api::receive_message(socket_.get(), MSG_DONTWAIT);
    if (!message && message.error().code == EAGAIN) return;
    if (!message) {
        fail(message.error());
        return hang_up();
    }
    if (!*message) return hang_up();
    if (!busy_) {
        busy_ = true;
        return request_(shared_from_this(), std::move(**message));
    }
    if (on_message_) return on_message_(std::move(**message));
    fail(platform::error("serve a call", "", "the one before it is not done", "wait for its answer"));
    hang_up();
}

void Connection::event(const api::Json& event, std::span<const int> fds) {
    if (!socket_) return;
    if (auto s = api::send_message(socket_.get(), event, fds); !s) hang_up();
}

void Connection::answered() {
    busy_ = false;
    on_message_ = nullptr;
    on_closed_ = nullptr;
}

void Connection::finish(const api::Json& answer) {
    answered();
    event(answer);
}

void Connection::done(api::Json result) {
    finish(api::done(std::move(result)));
}

void Connection::fail(const platform::Error& error) {
    finish(api::failure(error));
}

void Connection::while_busy(std::function<void(api::Message)> on_message, std::function<void()> on_closed) {
    on_message_ = std::move(on_message);
    on_closed_ = std::move(on_closed);
}

void Connection::hang_up() {
    if (!socket_) return;
    loop_.forget(socket_.get());
    socket_.reset();
    on_message_ = nullptr;
    if (const auto on_closed = std::exchange(on_closed_, nullptr)) on_closed();
    // Not now: whoever called this still uses it.
    loop_.post(std::exchange(closed_, [] {}));
}

}  // namespace reeve::daemon
