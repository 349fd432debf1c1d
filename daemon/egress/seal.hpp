// The cage of reeve-egress: it reads what the agent and the network send, and so must have nothing to lose.
//
// It is left with what it was given, TCP and UDP sockets that it makes, and the few files that resolving names takes. It
// does not cover where those sockets lead: that is CheckedAddress.
#pragma once

#include <cstddef>

#include "platform/result.hpp"

namespace reeve::egress {

// First of all: nobody traces it, nothing it might execute gains rights, no core is written, and it may have as many
// descriptors as its hard limit says. Gives that number.
platform::Result<std::size_t> protect();

// When all is set up, in the one thread there is: Landlock (where the kernel has it) and a list of system calls. Others
// are EPERM; to execute, trace or signal ends the process.
platform::Status enter_seal();

}  // namespace reeve::egress
