// What the helper process of Spawner does: one request, one child, for ever.
#pragma once

#include <cstdint>

#include "platform/fd.hpp"

namespace reeve::platform::confine {

// A request is this, with the descriptors: plan, link, the cgroup where `cgroup` says so, then the extras.
struct SpawnRequest {
    std::uint8_t cgroup = 0;
};

// The answer is this; with a pidfd where `pid` is not 0, else with the errno of what failed.
struct SpawnAnswer {
    std::int32_t pid = 0;
    std::int32_t code = 0;
    char failed[64] = {};  // what was tried, NUL-terminated
};

// Serves until the other end of `socket` closes. Keeps no other descriptor than these three open. Never
// returns.
[[noreturn]] void run_spawner_helper(Fd socket, Fd confine, Fd filter);

}  // namespace reeve::platform::confine
