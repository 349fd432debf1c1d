#include "platform/linux/confine/network.hpp"

#include <net/if.h>
#include <sched.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cstring>

#include "platform/fd.hpp"

namespace reeve::platform::confine {

Status enter_new_network() {
    if (::unshare(CLONE_NEWNET | CLONE_NEWIPC | CLONE_NEWUTS) != 0)
        return os_error(
            "make a network namespace", "", errno,
            "see that the kernel has network namespaces and /proc/sys/user/max_net_namespaces is not 0");
    Fd socket(::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0));
    if (!socket) return os_error("make a socket in the network namespace", "");
    ifreq request{};
    std::memcpy(request.ifr_name, "lo", sizeof "lo");
    request.ifr_flags = IFF_UP | IFF_RUNNING;
    if (::ioctl(socket.get(), SIOCSIFFLAGS, &request) != 0) return os_error("bring up", "lo");
    return {};
}

Status set_host_name(const std::string& name) {
    if (::sethostname(name.data(), name.size()) != 0) return os_error("set the host name", name);
    return {};
}

}  // namespace reeve::platform::confine
