// What reeve-keeper and reeve-veil are started with: the session's places, and which descriptor is what.
//
// Both are processes of one session, outside of its pid namespace, with the person's ids and no capability. They
// decide with the same table (policy/table.hpp), so that they cannot disagree. It does not cover: how they are
// started (platform/linux/confine/spawner.hpp) and what they tell reeved (report.hpp).
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "platform/result.hpp"

namespace reeve::access {

// The descriptors that both are executed with, 0 to 2 being /dev/null.
inline constexpr int kSetupFd = 3;  // sealed memfd: Setup::encode()
inline constexpr int kTableFd = 4;  // sealed memfd: policy::Policy::table_bytes()
// SOCK_SEQPACKET to reeved: reports go up. When nothing can be received from it any more (reeved closed its end, or
// shut its writing half down), the session is over: what is left to report is sent, and the process ends. Not before
// that, whatever else ends: reeved takes an earlier end for a failure and ends the session.
inline constexpr int kControlFd = 5;
// reeve-keeper: SOCK_SEQPACKET on which reeve-confine sends one packet with two descriptors, the session's root
// (O_PATH) and the seccomp listener, before the command runs. reeve-veil: /dev/fuse, mounted by reeved.
inline constexpr int kWorkFd = 6;
// reeve-keeper: SOCK_SEQPACKET to reeve-egress's kProcessesFd (daemon/egress/setup.hpp). /dev/null, or nothing at all,
// where the session has no way out.
inline constexpr int kConnectionsFd = 7;

// A tree of the session. The innermost place that contains a path rules it.
struct Place {
    enum class Kind : std::uint8_t {
        system,   // read-only: nothing in it ever changes
        decided,  // a writable zone of the host: policy decides on each change, and Landlock allows none
        scratch,  // private to the session and gone with it: every change is allowed and none is recorded.
        veiled,   // served by reeve-veil; changes are decided as in a decided place
    };
    std::string path;  // absolute and resolved; the same inside and on the host
    Kind kind = Kind::system;
    unsigned log = 0;  // policy::LogBits
    // Landlock allows changes here, so that a call may be continued in the kernel: only where no decided or veiled
    // place lies below, because a Landlock rule holds for what is mounted below as well.
    bool continued = false;
};

struct Setup {
    std::string session;
    std::string home;           // of the person
    std::vector<Place> places;  // sorted by path
    uid_t uid = 0;
    gid_t gid = 0;
    pid_t keeper = 0;  // for the veil: the thread group whose accesses are recorded by itself; 0 for none
    bool trap_reads = false;  // for the keeper: opens for reading are decided as well
    // For the veil, which has only the table; absolute and resolved, others than below veiled places are passed over.
    std::vector<std::string> canaries;  // policy::Policy::canaries()
    std::vector<std::string> files;     // granted by name: shown in directories that may not be listed

    std::string encode() const;
    static platform::Result<Setup> decode(std::string_view bytes);

    // The innermost place that contains `path`; null outside of all. O(log places).
    const Place* place_of(std::string_view path) const;
};

}  // namespace reeve::access
