// What the spawner and reeve-confine agree on, beside the plan itself.
#pragma once

#include <cstdint>

namespace reeve::platform::confine {

// The descriptors that reeve-confine is executed with, 0 to 2 being /dev/null. From kFirstExtra on come, in
// this order, those of StartFds that Extras says are there.
inline constexpr int kPlanFd = 3;          // sealed memfd: Extras, then the encoded plan
inline constexpr int kLinkFd = 4;          // SOCK_SEQPACKET
inline constexpr int kFilterFd = 5;        // sealed memfd of compile_filter() (syscalls.hpp)
inline constexpr int kNotifyFilterFd = 6;  // sealed memfd of compile_notify_filter() (notify_filter.hpp)
inline constexpr int kFirstExtra = 7;

struct Extras {
    std::uint8_t streams[3] = {};  // 0 or 1 each, as are the next four
    std::uint8_t watch = 0;
    std::uint8_t watch_by_fd = 0;
    std::uint8_t keeper = 0;
    std::uint8_t veil = 0;
    std::uint8_t limit_groups = 0;  // how many
};

}  // namespace reeve::platform::confine
