// The sandbox self-test: reeve-self-test tries each wall from inside a session that is set up as every other is.
#pragma once

#include <string>

#include "platform/linux/confine/spawner.hpp"
#include "platform/posture.hpp"

namespace reeve::daemon {

// For the posture's thread. `spawner` outlives it. `libexec` has reeve-self-test, `scratch` is a folder of root's where
// a file that must stay out of reach stands while it runs.
platform::posture::SelfTest self_test(platform::confine::Spawner& spawner, const std::string& libexec,
                                      const std::string& scratch);

}  // namespace reeve::daemon
