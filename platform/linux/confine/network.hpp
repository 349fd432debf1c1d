// The session's own network, IPC and host name.
#pragma once

#include <string>

#include "platform/fd.hpp"
#include "platform/result.hpp"

namespace reeve::platform::confine {

// Moves the calling thread into a new network, IPC and UTS namespace, of which nobody else has a part. It has no
// device but lo, which is down, so that nothing can be reached.
Status enter_new_network();

// A network, an IPC and a UTS namespace, kept to be entered later.
class Namespaces {
  public:
    // Those that the calling thread, its process's only one, is in.
    static Result<Namespaces> own();
    // Moves the calling thread there. Needs CAP_SYS_ADMIN.
    Status enter() const;

  private:
    Fd network_, ipc_, host_name_;
};

// The name of the machine as programs of this UTS namespace see it. At most 64 bytes.
Status set_host_name(const std::string& name);

}  // namespace reeve::platform::confine
