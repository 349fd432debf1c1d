// A denial as the call "denials" tells it: with the reason that the policy gives, and what can be done.
#pragma once

#include "daemon/api/message.hpp"
#include "daemon/audit/denials.hpp"
#include "policy/engine.hpp"

namespace reeve::daemon {

// `policy` is the one that the session was started with.
api::Json denial_json(const audit::Denial& denial, const policy::Policy& policy);

}  // namespace reeve::daemon
