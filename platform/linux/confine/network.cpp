#include "platform/linux/confine/network.hpp"

#include <fcntl.h>
#include <sched.h>
#include <unistd.h>

#include <utility>

namespace reeve::platform::confine {

Status enter_new_network() {
    if (::unshare(CLONE_NEWNET | CLONE_NEWIPC | CLONE_NEWUTS) != 0)
        return os_error(
            "make a network namespace", "", errno,
            "see that the kernel has network namespaces and /proc/sys/user/max_net_namespaces is not 0");
    return {};
}

Result<Namespaces> Namespaces::own() {
    Namespaces own;
    const std::pair<const char*, Fd*> files[] = {{"/proc/self/ns/net", &own.network_},
                                                 {"/proc/self/ns/ipc", &own.ipc_},
                                                 {"/proc/self/ns/uts", &own.host_name_}};
    for (const auto& [path, fd] : files) {
        fd->reset(::open(path, O_RDONLY | O_CLOEXEC));
        if (!*fd) return os_error("keep a namespace", path, errno, "see that /proc is mounted");
    }
    return own;
}

Status Namespaces::enter() const {
    const std::pair<int, const Fd*> kinds[] = {
        {CLONE_NEWNET, &network_}, {CLONE_NEWIPC, &ipc_}, {CLONE_NEWUTS, &host_name_}};
    for (const auto& [kind, fd] : kinds)
        if (::setns(fd->get(), kind) != 0) return os_error("enter a namespace that was kept", "");
    return {};
}

Status set_host_name(const std::string& name) {
    if (::sethostname(name.data(), name.size()) != 0) return os_error("set the host name", name);
    return {};
}

}  // namespace reeve::platform::confine
