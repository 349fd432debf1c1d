// Landlock's three system calls: a domain is made, told what it leaves allowed, and entered. Mechanics only: which rights
// a program gives up is its own to say (confine/landlock.cpp, daemon/egress/seal_files.cpp).
#pragma once

#include <cstdint>
#include <string>

#include "platform/fd.hpp"
#include "platform/result.hpp"

namespace reeve::platform::landlock {

// linux/landlock.h, of which Debian 12 has ABI 2.
inline constexpr std::uint64_t kWriteFile = 1 << 1;
inline constexpr std::uint64_t kReadFile = 1 << 2;
inline constexpr std::uint64_t kMake = 0x1ff0;  // REMOVE_DIR (4) to MAKE_SYM (12)
inline constexpr std::uint64_t kRefer =
    1 << 13;  // ABI 2; without it moving between directories is always refused
inline constexpr std::uint64_t kBindTcp = 1;        // of `network`, ABI 4
inline constexpr std::uint64_t kScopeAbstract = 1;  // of `scoped`, ABI 6
inline constexpr std::uint64_t kScopeSignal = 2;

// What a domain takes away but for what is allowed. Each only as far as the kernel's ABI knows it.
struct Handled {
    std::uint64_t file_system = 0;
    std::uint64_t network = 0;  // ABI 4
    std::uint64_t scoped = 0;   // ABI 6
};

// The ABI of this kernel, 0 for none.
int abi();

class Domain {
  public:
    static Result<Domain> make(const Handled& handled);
    // `tried` is for the Error, with `path`.
    Status allow(int place, std::uint64_t rights, const char* tried, const std::string& path);
    // Needs no_new_privs. For the calling thread and what it starts, for good.
    Status enter();

  private:
    explicit Domain(Fd fd) : fd_(std::move(fd)) {}
    Fd fd_;
};

}  // namespace reeve::platform::landlock
