// The lo of a new network namespace, as the session's doors need it (doors.hpp).
#pragma once

#include "platform/result.hpp"

namespace reeve::platform::network {

// Brings lo up in the calling thread's network namespace.
Status bring_up_loopback();

// One family's half: the first address of its synthetic range on lo, and every address local, with that one as the
// source. An Error with EAFNOSUPPORT, EOPNOTSUPP or EACCES where the kernel has the family not, or switched off.
Status make_all_local(int family);

}  // namespace reeve::platform::network
