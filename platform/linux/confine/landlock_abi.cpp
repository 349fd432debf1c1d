#include <sys/syscall.h>
#include <unistd.h>

#include "platform/linux/confine/landlock.hpp"

namespace reeve::platform::confine {

int landlock_abi() {
    constexpr long kCreateRuleset = 444;  // the same on all architectures
    constexpr unsigned kVersion = 1;      // LANDLOCK_CREATE_RULESET_VERSION
    const long abi = ::syscall(kCreateRuleset, nullptr, 0, kVersion);
    return abi < 0 ? 0 : static_cast<int>(abi);
}

}  // namespace reeve::platform::confine
