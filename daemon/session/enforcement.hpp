// Which mechanism holds a session to one decision of its policy: what `policy explain --session` says beside the
// rule, and that nothing does, where nothing does.
//
// Pure: it knows what the session was planned with, and asks nothing of the kernel. It does not cover the mode bits of
// files, which hold as well.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "daemon/access/setup.hpp"
#include "daemon/session/plan.hpp"
#include "policy/zones.hpp"

namespace reeve::session {

// What a session was started with, as far as enforcement goes.
struct Held {
    std::vector<access::Place> places;  // sorted by path
    policy::Means means;
    std::vector<std::string> masks;
    std::vector<Gap> gaps;
};
Held held_of(const Planned& planned);

struct Enforcement {
    std::string_view by;  // "mount", "keeper", "veil", or "nothing"
    std::string reason;   // a phrase
};

Enforcement enforcement_of(const Held& held, const policy::Policy& policy, std::string_view path,
                           policy::FileAction action);

}  // namespace reeve::session
