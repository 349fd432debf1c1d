#include "daemon/egress/processes.hpp"

#include "platform/linux/wire.hpp"

namespace reeve::egress {

template <class V>
void fields(V& v, Connecting& c) {
    v(c.inode, c.pid, c.start_ns, c.exe);
}

std::string Connecting::encode() const {
    return platform::wire::encoded(*this);
}

platform::Result<Connecting> Connecting::decode(std::string_view bytes) {
    auto connecting = platform::wire::decoded<Connecting>(bytes);
    if (!connecting) return platform::error("read whose a connection is", "", "malformed");
    return std::move(*connecting);
}

}  // namespace reeve::egress
