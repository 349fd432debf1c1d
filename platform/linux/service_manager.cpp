#include "platform/linux/service_manager.hpp"

#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>

#include <cstddef>
#include <cstdlib>
#include <cstring>

#include "platform/fd.hpp"

namespace reeve::platform {

ServiceManager ServiceManager::from_environment() {
    ServiceManager manager;
    // The daemon has one thread when it asks.
    if (const char* socket = ::getenv("NOTIFY_SOCKET"))  // NOLINT(concurrency-mt-unsafe)
        manager.socket_ = socket;
    ::unsetenv("NOTIFY_SOCKET");  // NOLINT(concurrency-mt-unsafe)
    return manager;
}

Status ServiceManager::notify(const std::string& state) const {
    if (socket_.empty()) return {};
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    if (socket_.size() >= sizeof address.sun_path)
        return error("tell the service manager", socket_, "its socket's name is too long");
    std::memcpy(address.sun_path, socket_.data(), socket_.size());
    if (socket_[0] == '@') address.sun_path[0] = '\0';
    const auto length = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + socket_.size());
    const Fd fd(::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0));
    if (!fd || ::sendto(fd.get(), state.data(), state.size(), MSG_NOSIGNAL,
                        reinterpret_cast<sockaddr*>(&address), length) < 0)
        return os_error("tell the service manager", socket_);
    return {};
}

Status ServiceManager::ready(std::string_view status) const {
    return notify("READY=1\nSTATUS=" + std::string(status));
}

Status ServiceManager::reloading() const {
    timespec now{};
    ::clock_gettime(CLOCK_MONOTONIC, &now);
    return notify("RELOADING=1\nMONOTONIC_USEC=" +
                  std::to_string(now.tv_sec * 1'000'000LL + now.tv_nsec / 1000));
}

Status ServiceManager::stopping() const {
    return notify("STOPPING=1");
}

}  // namespace reeve::platform
