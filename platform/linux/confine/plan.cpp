#include "platform/linux/confine/wire.hpp"

namespace reeve::platform::confine {

std::string Plan::encode() const {
    return wire::encoded(*this);
}

Result<Plan> Plan::decode(std::string_view bytes) {
    auto plan = wire::decoded<Plan>(bytes);
    if (!plan) return error("read the plan", "", "its bytes are not those of a plan");
    return std::move(*plan);
}

}  // namespace reeve::platform::confine
