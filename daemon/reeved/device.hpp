// What this machine is called in records.
#pragma once

#include <string>

namespace reeve::daemon {

// Of the machine id, hashed as machine-id(5) asks for: it is not to be shown itself. Empty where there is none.
std::string device_id();
// /proc/sys/kernel/random/boot_id
std::string boot_id();

}  // namespace reeve::daemon
