// What the helper process of Spawner does: one request, one answer, for ever.
#pragma once

#include <sys/types.h>

#include <cstdint>

#include "platform/fd.hpp"

namespace reeve::platform::confine {

// What is to be executed: reeve-confine as a session's first process, or a companion. Or, `doors`, nothing: the doors of
// the network that is ready are handed out.
enum class Kind : std::uint32_t { confine, keeper, veil, egress, doors };
inline constexpr int kPrograms = 4;  // those before `doors`

// A request is this, with the descriptors: first the cgroup where `cgroup` says so, then those that the program gets
// from 3 on (reeve-confine gets the filters behind its plan and link, from the helper). For a companion the person's
// groups follow, `groups` of gid_t.
struct SpawnRequest {
    Kind kind = Kind::confine;
    std::uint32_t cgroup = 0;
    uid_t uid = 0;
    gid_t gid = 0;
    std::uint32_t groups = 0;
    std::uint64_t network = 0;  // reeve-confine: the one it must have, whose doors were taken; 0: any
};

// The answer is this: with a pidfd where `pid` is not 0, with the doors that have their bit in `doors` where `network`
// is not 0, else with an Error behind it (platform/linux/wire.hpp).
struct SpawnAnswer {
    std::int32_t pid = 0;
    std::uint32_t doors = 0;
    std::uint64_t network = 0;
};

// What the helper keeps open, and nothing else.
struct HelperFds {
    Fd socket;
    Fd stopped;              // on which the pids of children that were stopped go to reeved, one a packet
    Fd filter;               // compile_filter()
    Fd notify_filter;        // compile_notify_filter()
    Fd programs[kPrograms];  // O_PATH, by Kind; empty where there is none
};

// Serves until the other end of the socket closes. Never returns.
[[noreturn]] void run_spawner_helper(HelperFds fds);

}  // namespace reeve::platform::confine
