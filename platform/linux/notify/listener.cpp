#include "platform/linux/notify/listener.hpp"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cstring>

namespace reeve::platform::notify {
namespace {

// linux/seccomp.h of Linux 6.6; Debian 12 has 6.1.
constexpr unsigned long kSetFlags = SECCOMP_IOW(4, std::uint64_t);
constexpr std::uint64_t kSyncWakeUp = 1;

// Space for kernels whose structure has grown.
union Received {
    seccomp_notif call;
    char space[512];
};

}  // namespace

Result<Listener> Listener::take(Fd fd) {
    seccomp_notif_sizes sizes{};
    if (::syscall(SYS_seccomp, SECCOMP_GET_NOTIF_SIZES, 0, &sizes) != 0)
        return os_error("ask for the kernel's notification", "", errno, "use Linux 5.19 or newer");
    if (sizes.seccomp_notif > sizeof(Received) || sizes.seccomp_notif_resp > sizeof(seccomp_notif_resp))
        return error("take system calls", "",
                     "this kernel's notifications are larger than this program knows", "update Reeve");
    // Refused before Linux 6.6: calls then cost more, and nothing else changes.
    (void)::ioctl(fd.get(), kSetFlags, kSyncWakeUp);
    return Listener(std::move(fd));
}

Result<bool> Listener::receive(Call& call) const {
    Received received;
    std::memset(&received, 0, sizeof received);  // the kernel refuses anything else
    if (::ioctl(fd_.get(), SECCOMP_IOCTL_NOTIF_RECV, &received.call) != 0) {
        if (errno == EINTR || errno == ENOENT || errno == EAGAIN) return false;
        return os_error("take a system call", "");
    }
    call.id = received.call.id;
    call.tid = static_cast<pid_t>(received.call.pid);
    call.number = received.call.data.nr;
    call.architecture = received.call.data.arch;
    for (int i = 0; i < 6; ++i) call.arguments[i] = received.call.data.args[i];
    return true;
}

bool Listener::waits() const {
    pollfd entry{fd_.get(), POLLIN, 0};
    return ::poll(&entry, 1, 0) == 1 && (entry.revents & POLLIN) != 0;
}

bool Listener::valid(std::uint64_t id) const {
    return ::ioctl(fd_.get(), SECCOMP_IOCTL_NOTIF_ID_VALID, &id) == 0;
}

void Listener::send(std::uint64_t id, std::int64_t value, int error, std::uint32_t flags) const {
    seccomp_notif_resp response{};
    response.id = id;
    response.val = value;
    response.error = error;
    response.flags = flags;
    while (::ioctl(fd_.get(), SECCOMP_IOCTL_NOTIF_SEND, &response) != 0 && errno == EINTR) continue;
}

int Listener::add_descriptor(std::uint64_t id, int fd, bool close_on_exec) const {
    seccomp_notif_addfd request{};
    request.id = id;
    request.srcfd = static_cast<std::uint32_t>(fd);
    request.newfd_flags = close_on_exec ? O_CLOEXEC : 0;
    int result;
    do {
        result = ::ioctl(fd_.get(), SECCOMP_IOCTL_NOTIF_ADDFD, &request);
    } while (result < 0 && errno == EINTR);
    return result < 0 ? -errno : result;
}

}  // namespace reeve::platform::notify
