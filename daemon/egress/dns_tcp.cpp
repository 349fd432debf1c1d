#include "daemon/egress/dns_tcp.hpp"

#include <sys/epoll.h>
#include <sys/socket.h>

#include <array>
#include <chrono>

namespace reeve::egress {
namespace {

constexpr std::size_t kMostConnections = 64;
constexpr std::size_t kMostWaiting = 32;                      // queries of one connection
constexpr std::size_t kMostUnsent = std::size_t{64} << 10;    // bytes of answers that a client does not read
constexpr std::size_t kMostUnread = std::size_t{2} + 0xFFFF;  // one query with its length
constexpr std::chrono::seconds kPause{1};                     // of a door, when there are no descriptors

std::size_t length_at(std::string_view bytes) {
    return static_cast<std::size_t>(static_cast<unsigned char>(bytes[0])) << 8 |
           static_cast<unsigned char>(bytes[1]);
}

}  // namespace

struct DnsTcp::Connection {
    platform::Fd socket;
    std::string in, out;
    std::size_t waiting = 0;
    bool ended = false;  // the client sends no more
    bool busy = false;   // handle() is at it, and will send what comes
    std::uint32_t watched = 0;
    std::optional<platform::EventLoop::TimerId> timer;

    bool is_full() const { return waiting >= kMostWaiting || out.size() >= kMostUnsent; }
    bool has_query() const { return in.size() >= 2 && in.size() >= 2 + length_at(in); }
    bool read_some();
    bool write_some();
};

// Once a turn, so that no connection keeps the loop. False: it is over.
bool DnsTcp::Connection::read_some() {
    std::array<char, 4096> buffer;
    const auto size = ::recv(socket.get(), buffer.data(), buffer.size(), 0);
    if (size < 0) return errno == EAGAIN || errno == EINTR;
    if (size == 0) ended = true;
    in.append(buffer.data(), static_cast<std::size_t>(size));
    return true;
}

bool DnsTcp::Connection::write_some() {
    while (!out.empty()) {
        const auto size = ::send(socket.get(), out.data(), out.size(), MSG_NOSIGNAL);
        if (size < 0 && errno == EINTR) continue;
        if (size < 0) return errno == EAGAIN;
        out.erase(0, static_cast<std::size_t>(size));
    }
    return true;
}

DnsTcp::~DnsTcp() {
    while (!connections_.empty()) drop(Shared(connections_.begin()->second));
    for (const auto& [door, timer] : doors_) {
        if (timer) loop_.cancel(*timer);
        loop_.forget(door);
    }
}

platform::Status DnsTcp::open(int door) {
    doors_[door];
    return listen(door);
}

platform::Status DnsTcp::listen(int door) {
    return loop_.watch(door, EPOLLIN, [this, door](std::uint32_t) { accept_all(door); });
}

void DnsTcp::accept_all(int door) {
    while (true) {
        platform::Fd socket(::accept4(door, nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC));
        if (socket) {
            if (connections_.size() < kMostConnections) adopt(std::move(socket));
            continue;
        }
        if (errno == EAGAIN) return;
        if (errno == EMFILE || errno == ENFILE || errno == ENOBUFS || errno == ENOMEM) return pause(door);
    }
}

// The door stays readable, and would turn the loop.
void DnsTcp::pause(int door) {
    loop_.forget(door);
    doors_[door] = loop_.after(kPause, [this, door] {
        doors_[door].reset();
        if (!listen(door)) pause(door);
    });
}

void DnsTcp::adopt(platform::Fd socket) {
    auto connection = std::make_shared<Connection>();
    connection->socket = std::move(socket);
    connections_[connection->socket.get()] = connection;
    restart_timer(connection);
    settle(connection);
}

// By value: drop() takes the loop's and the map's.
void DnsTcp::handle(Shared connection, std::uint32_t events) {
    connection->busy = true;
    bool open = (events & (EPOLLHUP | EPOLLERR)) == 0;
    if (open && (events & EPOLLIN) != 0) open = connection->read_some();
    open = open && take_queries(connection) && connection->write_some();
    connection->busy = false;
    if (!open) return drop(connection);
    settle(connection);
}

bool DnsTcp::take_queries(const Shared& connection) {
    while (!connection->is_full() && connection->has_query()) {
        const std::string query = connection->in.substr(2, length_at(connection->in));
        connection->in.erase(0, 2 + query.size());
        restart_timer(connection);
        if (!take_query(connection, query)) return false;
    }
    return true;
}

// False: that was no query, and what follows will be none.
bool DnsTcp::take_query(const Shared& connection, std::string_view query) {
    const auto put = [](Connection& to, const std::string& message) {
        to.out += static_cast<char>(message.size() >> 8);
        to.out += static_cast<char>(message.size() & 0xFF);
        to.out += message;
    };
    const auto question = parse_dns_query(query);
    if (!question) {
        if (!question.error().empty()) put(*connection, question.error());
        return !question.error().empty();
    }
    ++connection->waiting;
    lookups_.answer(*question, [this, put, question = *question,
                                weak = std::weak_ptr(connection)](const DnsAnswer& answer) {
        const Shared asker = weak.lock();
        if (!asker || !asker->socket) return;  // dropped, and held by the loop's turn
        --asker->waiting;
        put(*asker, encode_dns_answer(question, answer, kTcpLimit));
        if (!asker->busy) handle(asker, 0);
    });
    return true;
}

void DnsTcp::settle(const Shared& connection) {
    if (connection->ended && connection->waiting == 0 && connection->out.empty()) return drop(connection);
    const bool reads = !connection->ended && !connection->is_full() && connection->in.size() < kMostUnread;
    const std::uint32_t events = (reads ? EPOLLIN : 0U) | (connection->out.empty() ? 0U : EPOLLOUT);
    if (events == connection->watched) return;
    connection->watched = events;
    const auto watched = loop_.watch(connection->socket.get(), events,
                                     [this, connection](std::uint32_t seen) { handle(connection, seen); });
    if (!watched) drop(connection);
}

void DnsTcp::restart_timer(const Shared& connection) {
    if (connection->timer) loop_.cancel(*connection->timer);
    connection->timer = loop_.after(idle_, [this, weak = std::weak_ptr(connection)] {
        const Shared idle = weak.lock();
        if (!idle) return;
        idle->timer.reset();
        drop(idle);
    });
}

void DnsTcp::drop(Shared connection) {
    if (connection->timer) loop_.cancel(*connection->timer);
    connection->timer.reset();
    loop_.forget(connection->socket.get());
    connections_.erase(connection->socket.get());
    connection->socket.reset();
}

}  // namespace reeve::egress
