// What reeve-confine does, from its first instruction on.
#pragma once

namespace reeve::platform::confine {

// Takes over the descriptors of handover.hpp, sets the session up, starts its command, and serves as its
// first process until it ends. A step that fails is told over the link, and nothing is started.
[[noreturn]] void run_session();

}  // namespace reeve::platform::confine
