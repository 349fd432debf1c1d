#include <fcntl.h>
#include <sys/mount.h>
#include <unistd.h>

#include "platform/linux/confine/setup.hpp"

namespace reeve::platform::confine {

Status make_proc(Setup& setup) {
    const std::uint64_t hard = MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV | MOUNT_ATTR_NOEXEC;
    auto proc = new_file_system("proc", {}, hard);
    if (!proc) return std::unexpected(proc.error());
    auto sysctl = open_beneath(proc->get(), "sys", O_DIRECTORY);
    if (!sysctl) return std::unexpected(sysctl.error());
    setup.proc.reset(::fcntl(proc->get(), F_DUPFD_CLOEXEC, 0));
    if (!setup.proc) return os_error("keep", "/proc");
    setup.sysctl = std::move(*sysctl);
#ifdef REEVE_TEST_HOLES
    if (left_out(setup.plan, "own_proc")) proc = host_proc();
    if (!proc) return std::unexpected(proc.error());
#endif
    setup.mounts.push_back({.path = "/proc", .mount = std::move(*proc), .bound = true});
    return {};
}

Status refuse_executable_memory(Setup& setup) {
    if (left_out(setup.plan, "memfd_noexec")) return {};
    // Of this pid namespace. 1: memfd_create() that does not say MFD_EXEC gives one that cannot be executed,
    // for good.
    const Fd setting(::openat(setup.sysctl.get(), "vm/memfd_noexec", O_WRONLY | O_CLOEXEC));
    if (!setting && errno == ENOENT) return {};  // before Linux 6.3; Support::memfd_noexec tells doctor
    if (!setting || ::write(setting.get(), "1", 1) != 1) return os_error("set", "vm.memfd_noexec");
    return {};
}

}  // namespace reeve::platform::confine
