// The system calls that a session may make: a seccomp filter in two parts.
//
// The first allows by number what is known to be harmless, so that a call that is newer than this list is
// ENOSYS and programs fall back; the second refuses by arguments. They are two, because a filter of
// libseccomp cannot say "all but these arguments" for one call; load_filter() puts one behind the other. Neither costs anything for calls that are allowed whatever their arguments (the kernel caches
// those since Linux 5.11).
//
// It does not cover: what a call refers to (paths are memory, which can change after the check: that is the
// mount namespace's, Landlock's and the keeper's), connect() to a socket that a granted zone holds, and
// executing a memfd on kernels before 6.3, which have no way to make one that is not executable.
#pragma once

#include <string>
#include <vector>

#include "platform/fd.hpp"
#include "platform/result.hpp"

namespace reeve::platform::confine {

// Compiles both parts into a sealed memfd: the length in bytes of the first part as 8 bytes, then the parts,
// as arrays of sock_filter. Takes some milliseconds, which is why it is done once and not for each session.
//
// `without` names rules that are left out, as Plan::without has them ("seccomp.ptrace"); others are passed
// over. reeved always passes none.
Result<Fd> compile_filter(const std::vector<std::string>& without = {});

// The names of all rules, for the tests that take out one at a time.
std::vector<std::string> filter_rules();

// Puts the calling thread and what it starts under the filter. Needs no_new_privs.
Status load_filter(int memfd);

}  // namespace reeve::platform::confine
