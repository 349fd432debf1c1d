// The third part of a session's filter, for sessions that have a keeper: it hands the calls that change files to the
// keeper (SCMP_ACT_NOTIFY), and refuses what changes files in ways that can be handed to nobody.
//
// The two other parts (syscalls.hpp) are loaded after it and stay stricter where they refuse. It does not cover: what
// the keeper answers (daemon/keeper), and that a call that goes on in the kernel stays within bounds (Landlock).
#pragma once

#include <string>
#include <vector>

#include "platform/fd.hpp"
#include "platform/result.hpp"

namespace reeve::platform::confine {

// Compiles both variants into a sealed memfd: the length in bytes of the first as 8 bytes, then the variant that lets
// opens for reading pass, then the one that traps every open. For reeved, once: it links libseccomp.
Result<Fd> compile_notify_filter(const std::vector<std::string>& without = {});

// The names of the rules that a test can leave out.
std::vector<std::string> notify_rules();

// Puts the calling thread and what it starts under the filter, and gives the listener's end, which is for the keeper
// alone: whoever holds it answers. Needs no_new_privs and Linux 5.19 (WAIT_KILLABLE_RECV: a caller whose call was
// received is ended by a kill only, so that no call is done twice). One thread has one listener at most (EBUSY).
// Before load_filter(), which refuses some of what a set-up still needs.
Result<Fd> load_notify_filter(int memfd, bool trap_reads);

}  // namespace reeve::platform::confine
