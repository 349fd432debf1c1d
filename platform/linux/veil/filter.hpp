// The system calls that reeve-veil needs once it serves: a seccomp filter for all of its threads.
//
// By number alone. It does not cover which files they are about: that is the person's rights, since the process has no
// others. What is not in the list is EPERM: no new process, no execution, no socket, no descriptor of another process.
#pragma once

#include "platform/result.hpp"

namespace reeve::platform::veil {

// Sets no_new_privs too. Threads that are made later fail.
Status enter_filter();

}  // namespace reeve::platform::veil
