// What reeve-egress sends: any bytes end in reports or an error, and reports that were read are the same when they are
// sent on.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdlib>

#include "daemon/egress/report.hpp"
#include "platform/linux/seqpacket.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const std::string_view bytes(reinterpret_cast<const char*>(data),
                                 std::min(size, reeve::platform::kMaxPacket));
    const auto reports = reeve::egress::parse_reports(bytes);
    if (!reports) return 0;
    std::string again;
    for (const auto& report : *reports) {
        if (report.count == 0 || report.pid < 0) std::abort();
        again += encode(report);
    }
    if (again.size() != bytes.size()) std::abort();
    std::string twice;
    const auto read_again = reeve::egress::parse_reports(again);
    if (!read_again) std::abort();
    for (const auto& report : *read_again) twice += encode(report);
    if (twice != again) std::abort();
    return 0;
}
