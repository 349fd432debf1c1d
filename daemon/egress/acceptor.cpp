#include "daemon/egress/acceptor.hpp"

#include <sys/epoll.h>
#include <sys/socket.h>

#include <utility>

#include "daemon/egress/address_text.hpp"
#include "daemon/egress/clock.hpp"

namespace reeve::egress {
namespace {

using platform::Fd;

constexpr int kAtOnce = 64;  // then others have their turn
constexpr std::chrono::milliseconds kAgain{100};

}  // namespace

Acceptor::Acceptor(Shared& shared, std::array<Fd, 2> doors, Options options)
    : shared_(shared), doors_(std::move(doors)), options_(std::move(options)) {
    shared_.grants.on_added([this] {
        for (const auto& connection : connections_) connection->reconsider();
    });
}

Acceptor::~Acceptor() {
    off();
    shared_.grants.on_added(nullptr);
}

platform::Status Acceptor::on() {
    if (ended_ || std::exchange(on_, true)) return {};
    for (const Fd& door : doors_) {
        if (!door) continue;
        const int fd = door.get();
        if (auto s = shared_.outside.loop.watch(fd, EPOLLIN, [this, fd](std::uint32_t) { accept_some(fd); });
            !s)
            return s;
    }
    return {};
}

void Acceptor::off() {
    on_ = false;
    for (const Fd& door : doors_)
        if (door) shared_.outside.loop.forget(door.get());
    if (again_ != 0) shared_.outside.loop.cancel(std::exchange(again_, 0));
}

void Acceptor::end() {
    ended_ = true;
    off();
    for (const auto& connection : connections_) connection->end_with_session();
}

void Acceptor::accept_some(int door) {
    // A report may take the last room for reports: then it is off.
    for (int i = 0; i < kAtOnce && on_; ++i) {
        sockaddr_storage peer{};
        socklen_t length = sizeof peer;
        Fd client(::accept4(door, reinterpret_cast<sockaddr*>(&peer), &length, SOCK_NONBLOCK | SOCK_CLOEXEC));
        if (client) {
            take(std::move(client), peer);
        } else if (errno == EMFILE || errno == ENFILE || errno == ENOMEM || errno == ENOBUFS) {
            return out_of_descriptors();
        } else if (errno != EINTR && errno != ECONNABORTED) {
            return;
        }
    }
}

// What cannot be accepted stays readable: without a pause this would spin.
void Acceptor::out_of_descriptors() {
    if (shared_.unspoken.drop_oldest("there are no descriptors left")) return;
    off();
    again_ = shared_.outside.loop.after(kAgain, [this] {
        again_ = 0;
        (void)on();
    });
}

void Acceptor::take(Fd client, const sockaddr_storage& peer) {
    ++taken_;
    const auto destination = options_.destination(client.get());
    if (!destination) return refuse(std::move(client), {}, destination.error().text());
    if (!make_room())
        return refuse(std::move(client), endpoint_of(*destination), "the session has too many connections");
    connections_.emplace_back();
    const auto place = std::prev(connections_.end());
    ++live_;
    *place =
        std::make_unique<Connection>(shared_, std::move(client), Ends{peer, *destination}, [this, place] {
            --live_;
            connections_.erase(place);
        });
    (*place)->begin();
}

bool Acceptor::make_room() {
    return live_ < options_.most || shared_.unspoken.drop_oldest("newer connections took its place");
}

void Acceptor::refuse(Fd client, const Endpoint& asked, std::string reason) {
    reset(client);
    Report report;
    report.host = asked.port == 0 ? std::string() : to_text(asked.address);
    report.port = asked.port;
    report.reason = std::move(reason);
    report.monotonic_ns = monotonic_ns();
    shared_.report(report);
}

}  // namespace reeve::egress
