#include "daemon/api/connection.hpp"

#include <sys/socket.h>
#include <sys/un.h>

#include <cstdlib>
#include <cstring>

#include "daemon/api/calls.hpp"

namespace reeve::api {

using platform::Fd;

std::string socket_path() {
    const char* named = std::getenv("REEVE_SOCKET");  // NOLINT(concurrency-mt-unsafe): nothing sets it
    return named != nullptr && *named != '\0' ? named : kSocket;
}

platform::Result<Fd> connect_daemon(const std::string& path) {
    constexpr const char* kTried = "reach the daemon at";
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    if (path.size() >= sizeof address.sun_path)
        return platform::error(kTried, path, "the path is longer than a socket's can be",
                               "set REEVE_SOCKET to a shorter one");
    std::memcpy(address.sun_path, path.c_str(), path.size() + 1);
    Fd socket(::socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0));
    if (!socket) return platform::os_error(kTried, path);
    int result;
    do {
        result = ::connect(socket.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address);
    } while (result != 0 && errno == EINTR);
    if (result == 0) return socket;
    const int code = errno;
    if (code == ENOENT || code == ECONNREFUSED)
        return platform::os_error(kTried, path, code,
                                  "start it: systemctl start reeved (REEVE_SOCKET names another place)");
    return platform::os_error(kTried, path, code);
}

namespace {

std::unexpected<CallError> lost(platform::Error error) {
    return std::unexpected(CallError{std::move(error), true});
}

}  // namespace

std::expected<Json, CallError> call(int socket, const Json& request, const OnEvent& on_event) {
    if (auto sent = send_message(socket, request); !sent)
        return std::unexpected(CallError{sent.error(), sent.error().code != EMSGSIZE});
    for (;;) {
        auto message = receive_message(socket);
        if (!message) return lost(message.error());
        if (!*message)
            return lost({.tried = "hear the daemon's answer",
                         .why = "it closed the connection",
                         .todo = "see its log: journalctl -u reeved"});
        const Json& body = (*message)->body;
        if (body.contains("error")) return std::unexpected(CallError{failure_of(body)});
        if (const auto done = body.find("done"); done != body.end()) return *done;
        if (!on_event || !on_event(body)) return Json::object();
    }
}

}  // namespace reeve::api
