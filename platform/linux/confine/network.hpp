// The session's own network, IPC and host name.
#pragma once

#include <string>

#include "platform/result.hpp"

namespace reeve::platform::confine {

// Moves the calling thread into a new network, IPC and UTS namespace, of which nobody else has a part, and
// brings up its loopback device. There is no other device, so nothing outside can be reached.
Status enter_new_network();

// The name of the machine as programs of this UTS namespace see it. At most 64 bytes.
Status set_host_name(const std::string& name);

}  // namespace reeve::platform::confine
