// CLOCK_MONOTONIC, as reports have it.
#pragma once

#include <time.h>

#include <cstdint>

namespace reeve::egress {

inline std::uint64_t monotonic_ns() {
    timespec time;
    ::clock_gettime(CLOCK_MONOTONIC, &time);
    return static_cast<std::uint64_t>(time.tv_sec) * 1'000'000'000 + static_cast<std::uint64_t>(time.tv_nsec);
}

}  // namespace reeve::egress
