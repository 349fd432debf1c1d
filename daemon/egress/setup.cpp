#include "daemon/egress/setup.hpp"

#include "platform/linux/wire.hpp"

namespace reeve::egress {

template <class V>
void fields(V& v, Setup& s) {
    v(s.session, s.agent, s.generation, s.network, s.host_upload, s.session_upload);
}

std::string Setup::encode() const {
    platform::wire::Writer writer;
    writer(*this);
    return std::move(writer.bytes);
}

platform::Result<Setup> Setup::decode(std::string_view bytes) {
    Setup setup;
    platform::wire::Reader reader(bytes);
    reader(setup);
    if (!reader.complete()) return platform::error("read the set-up of reeve-egress", "", "malformed");
    return setup;
}

}  // namespace reeve::egress
