#include "platform/linux/landlock.hpp"

#include <sys/syscall.h>
#include <unistd.h>

#include <cstddef>

namespace reeve::platform::landlock {
namespace {

// The same numbers on all architectures.
constexpr long kCreateRuleset = 444, kAddRule = 445, kRestrictSelf = 446;
constexpr unsigned kVersion = 1;     // LANDLOCK_CREATE_RULESET_VERSION
constexpr int kRulePathBeneath = 1;  // LANDLOCK_RULE_PATH_BENEATH

struct [[gnu::packed]] PathBeneath {
    std::uint64_t rights;
    std::int32_t fd;
};

// An older kernel takes only the members that it knows.
std::size_t size_of(const Handled& handled) {
    if (handled.scoped != 0) return sizeof handled;
    return handled.network != 0 ? offsetof(Handled, scoped) : offsetof(Handled, network);
}

}  // namespace

int abi() {
    const long abi = ::syscall(kCreateRuleset, nullptr, 0, kVersion);
    return abi < 0 ? 0 : static_cast<int>(abi);
}

Result<Domain> Domain::make(const Handled& handled) {
    Fd fd(static_cast<int>(::syscall(kCreateRuleset, &handled, size_of(handled), 0)));
    if (!fd) return os_error("make a Landlock ruleset", "");
    return Domain(std::move(fd));
}

Status Domain::allow(int place, std::uint64_t rights, const char* tried, const std::string& path) {
    const PathBeneath rule{rights, place};
    if (::syscall(kAddRule, fd_.get(), kRulePathBeneath, &rule, 0) != 0) return os_error(tried, path);
    return {};
}

Status Domain::enter() {
    if (::syscall(kRestrictSelf, fd_.get(), 0) != 0) return os_error("enter the Landlock domain", "");
    return {};
}

}  // namespace reeve::platform::landlock
