// One client: its packets, one call at a time.
//
// All calls are for the event loop's thread. Held by shared_ptr; what answers later holds a weak_ptr.
#pragma once

#include <expected>
#include <functional>
#include <memory>
#include <string>

#include "daemon/api/message.hpp"
#include "daemon/reeved/peer.hpp"
#include "platform/linux/event_loop.hpp"

namespace reeve::daemon {

class Connection : public std::enable_shared_from_this<Connection> {
  public:
    using Request = std::function<void(const std::shared_ptr<Connection>&, api::Message)>;

    // `request` is called for each call, `closed` once, at the end.
    Connection(platform::EventLoop& loop, platform::Fd socket, Peer peer, Request request,
               std::function<void()> closed);
    ~Connection();
    platform::Status watch();

    const Peer& peer() const { return peer_; }
    int socket() const { return socket_.get(); }
    bool open() const { return static_cast<bool>(socket_); }

    // The last answer of the call that is going on.
    void done(api::Json result = api::Json::object());
    void fail(const platform::Error& error);
    void fail(const std::unexpected<platform::Error>& error) { fail(error.error()); }
    // The answer was sent by another thread, over a descriptor of its own.
    void answered();
    // One of more to come. A client that does not read loses the connection: nothing is kept for it.
    void event(const api::Json& event, std::span<const int> fds = {});

    // For calls that go on in both directions; taken back by done() and fail().
    void while_busy(std::function<void(api::Message)> on_message, std::function<void()> on_closed);
    void hang_up();

  private:
    void read();
    void finish(const api::Json& answer);

    platform::EventLoop& loop_;
    platform::Fd socket_;
    Peer peer_;
    Request request_;
    std::function<void()> closed_;
    bool busy_ = false;
    std::function<void(api::Message)> on_message_;
    std::function<void()> on_closed_;
};

}  // namespace reeve::daemon
