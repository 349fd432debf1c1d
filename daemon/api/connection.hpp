// The client's end of reeved's socket: connect, and make one call.
//
// Not covered: the call "run", which goes on in both directions (client/run_loop); and who listens there: the
// socket's directory is root's, so that nobody else can.
#pragma once

#include <expected>
#include <functional>
#include <string>

#include "daemon/api/message.hpp"

namespace reeve::api {

// $REEVE_SOCKET, or kSocket.
std::string socket_path();

// An Error that says what to do where no daemon listens.
platform::Result<platform::Fd> connect_daemon(const std::string& path);

struct CallError {
    platform::Error error;
    bool lost = false;  // the daemon is not there (any more); else it is what it answered
};
// False ends the call: for a reader that has gone.
using OnEvent = std::function<bool(const Json& event)>;

// Sends the request and gives what "done" holds. Each event goes to `on_event`; after it said false, and for
// a call that knows no events (null), the rest is not waited for.
std::expected<Json, CallError> call(int socket, const Json& request, const OnEvent& on_event = nullptr);

}  // namespace reeve::api
