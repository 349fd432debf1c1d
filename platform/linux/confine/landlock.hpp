// The second wall behind the tree: a Landlock domain in which only what the session may change can be
// changed, also if a mount turned out to be writable by mistake.
//
// It handles the rights that change things: writing, making, removing, moving. It does not cover reading,
// listing and executing (what is there may be read, and handling those costs 1.4 on reads: MEASURED),
// TRUNCATE (a file in a read-only mount is EROFS, one in a granted place may be written anyway; handling it
// taxes every open), device ioctls (the only devices are those that devices.cpp makes), attributes (Landlock
// knows none), TCP (the network namespace). From ABI 6 on it also keeps signals and abstract unix sockets
// within the session.
#pragma once

namespace reeve::platform::confine {

// The ABI of this kernel, 0 for none.
int landlock_abi();

}  // namespace reeve::platform::confine
