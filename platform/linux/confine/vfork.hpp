// clone3(2) in the manner of vfork(2): the child borrows the caller's memory, and the caller waits until it has executed
// another program or ended. Copying the caller's page tables and throwing the copy away cost more than all else that the
// start of a process takes.
//
// glibc has nothing for it: its posix_spawn() makes no namespaces, its clone() enters no cgroup. For a process with one
// thread alone. What `child` writes to memory stays written; descriptors, signal handlers and ids are its own.
#pragma once

#include <linux/sched.h>

namespace reeve::platform::confine {

// Of `arguments`, the stack and the two flags are set here. `child` never returns. The child's pid, or -1 with errno.
// Under a sanitizer, whose shadow of the stack the child would leave behind, the memory is copied after all.
long vfork_child(clone_args arguments, void (*child)(void*), void* argument);

}  // namespace reeve::platform::confine
