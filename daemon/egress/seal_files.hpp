// The Landlock domain of reeve-egress: of the file system, only what resolving names reads.
#pragma once

#include "platform/result.hpp"

namespace reeve::egress {

// Where the kernel has no Landlock, file modes and the filter of system calls are what is left.
platform::Status close_file_system();

}  // namespace reeve::egress
