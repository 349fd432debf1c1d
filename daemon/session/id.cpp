#include "daemon/session/id.hpp"

#include <sys/random.h>
#include <time.h>

#include <array>
#include <cstdint>
#include <span>

namespace reeve::session {
namespace {

platform::Status fill(std::span<unsigned char> bytes) {
    // Up to 256 bytes come whole, random(7).
    if (::getrandom(bytes.data(), bytes.size(), 0) != static_cast<ssize_t>(bytes.size()))
        return platform::os_error("get random bytes", "");
    return {};
}

}  // namespace

platform::Result<std::string> new_id() {
    std::array<unsigned char, 16> random{};
    if (auto s = fill(random); !s) return std::unexpected(s.error());
    timespec now{};
    ::clock_gettime(CLOCK_REALTIME, &now);
    auto milliseconds =
        static_cast<std::uint64_t>(now.tv_sec) * 1000 + static_cast<std::uint64_t>(now.tv_nsec) / 1'000'000;
    constexpr char kDigits[] = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";
    std::string id(26, '0');
    for (std::size_t i = 10; i-- > 0; milliseconds >>= 5) id[i] = kDigits[milliseconds & 31];
    for (std::size_t i = 0; i < 16; ++i) id[10 + i] = kDigits[random[i] & 31];
    return id;
}

platform::Result<std::string> new_trace_id() {
    std::array<unsigned char, 16> random{};
    if (auto s = fill(random); !s) return std::unexpected(s.error());
    std::string id;
    for (const unsigned char byte : random) {
        id += "0123456789abcdef"[byte >> 4];
        id += "0123456789abcdef"[byte & 15];
    }
    return id;
}

}  // namespace reeve::session
