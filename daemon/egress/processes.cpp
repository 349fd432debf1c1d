#include "daemon/egress/processes.hpp"

#include "platform/linux/wire.hpp"

namespace reeve::egress {

template <class V>
void fields(V& v, Connecting& c) {
    v(c.inode, c.pid, c.start_ns, c.exe);
}

std::string Connecting::encode() const {
    platform::wire::Writer writer;
    writer(*this);
    return std::move(writer.bytes);
}

platform::Result<Connecting> Connecting::decode(std::string_view bytes) {
    Connecting connecting;
    platform::wire::Reader reader(bytes);
    reader(connecting);
    if (!reader.complete()) return platform::error("read whose a connection is", "", "malformed");
    return connecting;
}

}  // namespace reeve::egress
