// The second wall behind the tree: a Landlock domain in which only what the session may change can be
// changed, also if a mount turned out to be writable by mistake.
//
// It handles the rights that change things: writing, making, removing, moving. It does not cover reading,
// listing and executing (what is there may be read, and handling those costs 1.4 on reads: MEASURED),
// TRUNCATE (a file in a read-only mount is EROFS, one in a granted place may be written anyway; handling it
// taxes every open), device ioctls (the only devices are those that devices.cpp makes), attributes (Landlock
// knows none), TCP (the network namespace). From ABI 6 on it also keeps signals and abstract unix sockets
// within the session.
#include "platform/linux/landlock.hpp"

#include <errno.h>
#include <sys/prctl.h>

#include "platform/linux/confine/setup.hpp"

namespace reeve::platform::confine {

Status enter_landlock(Setup& setup) {
    if (!left_out(setup.plan, "no_new_privs") && ::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0)
        return os_error("give up new privileges", "");
    const int abi = landlock::abi();
    if (abi < setup.plan.required_landlock)
        return error("enter the Landlock domain", "",
                     "policy asks for ABI " + std::to_string(setup.plan.required_landlock) +
                         ", this kernel has " + (abi == 0 ? "none" : std::to_string(abi)),
                     "boot a newer kernel, or one with landlock among its lsm=, or ask for less");
    if (abi == 0 || left_out(setup.plan, "landlock")) return {};
    const std::uint64_t rights = landlock::kWriteFile | landlock::kMake | (abi >= 2 ? landlock::kRefer : 0);
    auto domain = landlock::Domain::make(
        {.file_system = rights, .scoped = abi >= 6 ? landlock::kScopeAbstract | landlock::kScopeSignal : 0});
    if (!domain) return std::unexpected(domain.error());
    for (const Placed& mount : setup.mounts) {
        std::uint64_t granted = 0;
        if (mount.changeable) granted = mount.directory ? rights : landlock::kWriteFile;
        // Existing files only: devices and terminals, and a process's own settings.
        if (mount.path == "/dev" || mount.path == "/proc") granted = landlock::kWriteFile;
        if (granted == 0) continue;
        if (auto s = domain->allow(mount.mount.get(), granted, "grant changes in", mount.path); !s) return s;
    }
    return domain->enter();
}

}  // namespace reeve::platform::confine
