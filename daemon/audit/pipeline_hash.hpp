// Under what repeats are looked for among what waits.
#pragma once

#include <cstdint>
#include <functional>
#include <string_view>

namespace reeve::audit {

inline std::uint64_t mix(std::uint64_t hash, std::uint64_t value) {
    hash = (hash ^ value) * 0x9e37'79b9'7f4a'7c15;
    return hash ^ hash >> 32;
}

// One for all that makes the contents of a file, whoever tells: the creation or the opening that the keeper reports,
// and the closing that the kernel does.
inline std::uint64_t hash_of_change(std::string_view path, std::uint64_t process_id) {
    return mix(std::hash<std::string_view>{}(path), process_id << 8 | 0xff);
}

}  // namespace reeve::audit
