// The clock that reports and caches have where no test gives them another.
#pragma once

#include <time.h>

#include <cstdint>

namespace reeve::egress {

// CLOCK_MONOTONIC.
inline std::uint64_t monotonic_ns() {
    timespec now{};
    ::clock_gettime(CLOCK_MONOTONIC, &now);
    return static_cast<std::uint64_t>(now.tv_sec) * 1'000'000'000 + static_cast<std::uint64_t>(now.tv_nsec);
}

}  // namespace reeve::egress
