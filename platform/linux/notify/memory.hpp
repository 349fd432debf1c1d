// The memory of a thread that waits for the answer to its call.
//
// It changes while it is read (other threads write it), so each argument is copied exactly once, and only the copy is
// used. What was read belongs to the caller only if Listener::valid() says so afterwards. Errors are those that the
// call itself would give for such memory: positive errno values, 0 for none.
#pragma once

#include <sys/types.h>

#include <cstddef>
#include <cstdint>
#include <string>

namespace reeve::platform::notify {

// All of `size` bytes, or EFAULT (ESRCH, EPERM: the thread cannot be read).
int read_memory(pid_t tid, std::uint64_t address, void* to, std::size_t size);
// Up to the NUL, which must come within `most` bytes: else `too_long`. A path has PATH_MAX and ENAMETOOLONG.
int read_text(pid_t tid, std::uint64_t address, std::size_t most, int too_long, std::string& text);

}  // namespace reeve::platform::notify
