#include "platform/linux/confine/landlock.hpp"

#include <errno.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "platform/linux/confine/setup.hpp"

namespace reeve::platform::confine {
namespace {

// linux/landlock.h, of which Debian 12 has ABI 2. The three calls have the same numbers on all architectures.
constexpr long kCreateRuleset = 444, kAddRule = 445, kRestrictSelf = 446;
constexpr int kRulePathBeneath = 1;  // LANDLOCK_RULE_PATH_BENEATH
constexpr std::uint64_t kWriteFile = 1 << 1;
constexpr std::uint64_t kMake = 0x1ff0;      // REMOVE_DIR (4) to MAKE_SYM (12)
constexpr std::uint64_t kRefer = 1 << 13;    // ABI 2; without it moving between directories is always refused
constexpr std::uint64_t kScopeAbstract = 1;  // ABI 6
constexpr std::uint64_t kScopeSignal = 2;    // ABI 6

struct Ruleset {
    std::uint64_t file_system = 0;
    std::uint64_t network = 0;  // ABI 4
    std::uint64_t scoped = 0;   // ABI 6
};
struct [[gnu::packed]] PathBeneath {
    std::uint64_t rights;
    std::int32_t fd;
};

constexpr std::size_t size_for(int abi) {
    return abi >= 6 ? 24 : abi >= 4 ? 16 : 8;
}

Status allow(int ruleset, int place, std::uint64_t rights, const std::string& path) {
    const PathBeneath rule{rights, place};
    if (::syscall(kAddRule, ruleset, kRulePathBeneath, &rule, 0) != 0)
        return os_error("grant changes in", path);
    return {};
}

}  // namespace

Status enter_landlock(Setup& setup) {
    if (!left_out(setup.plan, "no_new_privs") && ::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0)
        return os_error("give up new privileges", "");
    const int abi = landlock_abi();
    if (abi < setup.plan.required_landlock)
        return error("enter the Landlock domain", "",
                     "policy asks for ABI " + std::to_string(setup.plan.required_landlock) +
                         ", this kernel has " + (abi == 0 ? "none" : std::to_string(abi)),
                     "boot a newer kernel, or one with landlock among its lsm=, or ask for less");
    if (abi == 0 || left_out(setup.plan, "landlock")) return {};
    const std::uint64_t rights = kWriteFile | kMake | (abi >= 2 ? kRefer : 0);
    const Ruleset ruleset{.file_system = rights, .scoped = abi >= 6 ? kScopeAbstract | kScopeSignal : 0};
    const Fd domain(static_cast<int>(::syscall(kCreateRuleset, &ruleset, size_for(abi), 0)));
    if (!domain) return os_error("make a Landlock ruleset", "");
    for (const Placed& mount : setup.mounts) {
        std::uint64_t granted = 0;
        if (mount.changeable) granted = mount.directory ? rights : kWriteFile;
        // Existing files only: devices and terminals, and a process's own settings.
        if (mount.path == "/dev" || mount.path == "/proc") granted = kWriteFile;
        if (granted != 0)
            if (auto s = allow(domain.get(), mount.mount.get(), granted, mount.path); !s) return s;
    }
    if (::syscall(kRestrictSelf, domain.get(), 0) != 0) return os_error("enter the Landlock domain", "");
    return {};
}

}  // namespace reeve::platform::confine
