#include "daemon/egress/setup.hpp"

#include "platform/linux/wire.hpp"

namespace reeve::egress {

template <class V>
void fields(V& v, Setup& s) {
    v(s.session, s.generation, s.network, s.host_upload, s.session_upload);
}

std::string Setup::encode() const {
    return platform::wire::encoded(*this);
}

platform::Result<Setup> Setup::decode(std::string_view bytes) {
    auto setup = platform::wire::decoded<Setup>(bytes);
    if (!setup) return platform::error("read the set-up of reeve-egress", "", "malformed");
    return std::move(*setup);
}

}  // namespace reeve::egress
