#include <array>

#include "client/app.hpp"

namespace reeve::client {

std::span<const Family> all_families() {
    static constexpr auto kAll = std::to_array<Family>(
        {add_run, add_sessions, add_log, add_policy, add_posture, add_attestation, add_audit});
    return kAll;
}

}  // namespace reeve::client
