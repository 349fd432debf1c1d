#include "platform/linux/confine/wire.hpp"

namespace reeve::platform::confine {

std::string Plan::encode() const {
    wire::Writer writer;
    writer(*this);
    return std::move(writer.bytes);
}

Result<Plan> Plan::decode(std::string_view bytes) {
    Plan plan;
    wire::Reader reader(bytes);
    reader(plan);
    if (!reader.complete()) return error("read the plan", "", "its bytes are not those of a plan");
    return plan;
}

}  // namespace reeve::platform::confine
