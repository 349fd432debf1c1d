// The keeper's own cage: what it never needs is refused, so that a bug in it is of little use.
//
// It keeps the person's file rights, which are its work. It does not cover reading the memory of the person's other
// programs, which Yama's scope 1 refuses where it is there (process_vm_readv needs no more than that call).
#pragma once

#include "platform/result.hpp"

namespace reeve::keeper {

// At once: no other process of the person may read or trace this one, and no program that it executes gains rights.
platform::Status close_to_others();

// Puts the calling thread, and what it starts, under a list of system calls; any other is EPERM.
platform::Status allow_only_what_is_needed();

}  // namespace reeve::keeper
