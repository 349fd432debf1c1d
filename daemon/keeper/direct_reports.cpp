#include "daemon/keeper/direct_reports.hpp"

#include <unistd.h>

#include "platform/linux/seqpacket.hpp"

namespace reeve::keeper {

void DirectReports::add(const access::Report& report) {
    access::Packet packet;
    // What cannot be recorded does not happen: without reeved this process ends, and its callers get ENOSYS.
    if (!packet.append(report) || !platform::send_packet(control_, packet.bytes())) ::_exit(1);
}

}  // namespace reeve::keeper
