// JSON as tokens may carry it. Stricter than the library: what two readers could read in two ways is refused.
#pragma once

#include <cstddef>
#include <nlohmann/json_fwd.hpp>
#include <string_view>

#include "attestation/result.hpp"

namespace reeve::attestation::jose {

inline constexpr std::size_t kMaxDepth = 16;

// One JSON object of at most max_size bytes. Refused: a member named twice at any depth, nesting over
// kMaxDepth, a NUL byte, a byte order mark, bad UTF-8, numbers out of range, anything behind the object.
Result<nlohmann::json> parse_object(std::string_view text, std::size_t max_size);

}  // namespace reeve::attestation::jose
