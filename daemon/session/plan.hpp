// From a compiled policy to the Plan that reeve-confine carries out and the places that keeper and veil know: which
// objects exist inside, and what the policy asks for that nothing here can enforce.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "daemon/access/setup.hpp"
#include "daemon/session/person.hpp"
#include "platform/confine.hpp"
#include "platform/result.hpp"
#include "policy/zones.hpp"

namespace reeve::session {

// Something that the policy says and this session does not hold to.
struct Gap {
    std::string rule, pattern, reason;
    bool widens = false;  // the session could do more than the policy says
};

struct Planned {
    std::vector<platform::confine::Zone> zones;
    std::vector<platform::confine::PrivateDirectory> private_directories;
    std::vector<std::string> veiled;
    std::vector<std::string> files;  // granted by name under the veil
    std::vector<std::string> masks;
    policy::Means means;
    std::vector<platform::confine::Symlink> links;
    std::map<std::string, std::string> rules;  // path of a zone or mask -> the rule that it comes from
    std::vector<Gap> gaps;
    std::vector<std::string> absent_states;  // directories of the agent's state that are not there yet
};

// Looks at the paths on the host as they are now. A zone that does not exist is left out; what cannot be looked at is an
// Error. The caller decides what becomes of gaps.
platform::Result<Planned> plan_of(const policy::Zones& zones, const policy::Means& means,
                                  const Person& person);

// The places of the plan, for keeper and veil.
std::vector<access::Place> places_of(const Planned& planned);

// The gaps that widen, one a line; empty where there are none.
std::string widening(const std::vector<Gap>& gaps);

}  // namespace reeve::session
