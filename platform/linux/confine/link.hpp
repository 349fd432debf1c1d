// reeved's end of the line to the first process of one session: what happens inside comes up, signals go
// down.
//
// It is the session's lifeline: when this end closes, the session ends (reeve-confine sees the end of file
// and exits, and the kernel kills the rest of its pid namespace). It carries no data of the command: streams
// and terminals are descriptors of their own.
#pragma once

#include <optional>

#include "platform/confine.hpp"

namespace reeve::platform::confine {

// One thread at a time. Movable; the destructor ends the session.
class Link {
  public:
    Link() = default;
    explicit Link(Fd socket) : socket_(std::move(socket)) {}  // SOCK_SEQPACKET

    int fd() const { return socket_.get(); }  // readable when receive() has something, for epoll
    explicit operator bool() const { return static_cast<bool>(socket_); }

    // The next message, without waiting; empty when there is none yet. Closed is given once and for all after
    // the last. An Error means that the other end spoke nonsense: end the session.
    Result<std::optional<Message>> receive();

    // To the foreground process group where the session has a terminal, else to the command's own process
    // group.
    Status send_signal(int signal);
    // Ends the session now, whatever still runs in it.
    Status send_end();

  private:
    Fd socket_;
};

}  // namespace reeve::platform::confine
