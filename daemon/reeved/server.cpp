#include "daemon/reeved/server.hpp"

#include <fcntl.h>
#include <spdlog/spdlog.h>
#include <sys/epoll.h>
#include <sys/file.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <cstring>

#include "daemon/audit/segment.hpp"

namespace reeve::daemon {

using platform::error;
using platform::Fd;
using platform::os_error;

namespace {

platform::Result<Fd> bind_and_listen(const std::string& path) {
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    if (path.size() >= sizeof address.sun_path)
        return error("listen at", path, "the path is too long for a socket", "use a shorter run directory");
    std::memcpy(address.sun_path, path.data(), path.size());
    Fd socket(::socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
    if (!socket) return os_error("make a socket", "");
    if (::unlink(path.c_str()) != 0 && errno != ENOENT) return os_error("remove the old socket", path);
    if (::bind(socket.get(), reinterpret_cast<sockaddr*>(&address), sizeof address) != 0)
        return os_error("listen at", path);
    if (::chmod(path.c_str(), 0666) != 0) return os_error("open to everybody", path);
    if (::listen(socket.get(), SOMAXCONN) != 0) return os_error("listen at", path);
    return socket;
}

}  // namespace

platform::Result<std::unique_ptr<Server>> Server::listen(platform::EventLoop& loop, const std::string& path,
                                                         Connection::Request request) {
    std::unique_ptr<Server> server(new Server(loop, std::move(request)));
    const std::string folder = path.substr(0, path.rfind('/'));
    auto directory = audit::open_directory(folder, 0755);
    if (!directory) return std::unexpected(directory.error());
    server->lock_.reset(
        ::openat(directory->get(), "reeved.lock", O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600));
    if (!server->lock_) return os_error("open the lock", folder + "/reeved.lock");
    if (::flock(server->lock_.get(), LOCK_EX | LOCK_NB) != 0)
        return error("listen at", path, "another reeved does", "stop it first: systemctl stop reeved");
    auto socket = bind_and_listen(path);
    if (!socket) return std::unexpected(socket.error());
    server->path_ = path;
    server->socket_ = std::move(*socket);
    Server* self = server.get();
    if (auto s = loop.watch(self->socket_.get(), EPOLLIN, [self](std::uint32_t) { self->accept(); }); !s)
        return std::unexpected(s.error());
    return server;
}

Server::~Server() {
    stop_listening();
    if (!path_.empty()) ::unlink(path_.c_str());
}

void Server::stop_listening() {
    if (!socket_) return;
    loop_.forget(socket_.get());
    socket_.reset();
}

void Server::accept() {
    Fd socket(::accept4(socket_.get(), nullptr, nullptr, SOCK_CLOEXEC | SOCK_NONBLOCK));
    if (!socket) return;  // it went away again, or descriptors ran out: then it waits in the queue
    const int fd = socket.get();
    Fd answer(::fcntl(fd, F_DUPFD_CLOEXEC, 0));
    if (auto s = admit(std::move(socket)); !s) {
        spdlog::info("refused a connection: {}", s.error().text());
        if (answer) (void)api::send_message(answer.get(), api::failure(s.error()));
    }
}

platform::Status Server::admit(Fd socket) {
    auto peer = peer_of(socket.get());
    if (!peer) return std::unexpected(peer.error());
    const auto same = [&](const auto& entry) { return entry.second->peer().uid == peer->uid; };
    const auto of_person = static_cast<std::size_t>(std::ranges::count_if(connections_, same));
    // Root is not counted among the others, so that nobody keeps it out.
    if (!peer->is_root() && (connections_.size() >= kMostConnections || of_person >= kMostOfOnePerson))
        return error("serve a caller", std::to_string(peer->pid), "there are too many connections",
                     "close some of them");
    const int number = next_++;
    auto connection = std::make_shared<Connection>(loop_, std::move(socket), std::move(*peer), request_,
                                                   [this, number] { connections_.erase(number); });
    if (auto s = connection->watch(); !s) return s;
    connections_[number] = std::move(connection);
    return {};
}

}  // namespace reeve::daemon
