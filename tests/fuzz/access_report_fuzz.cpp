// What keeper and veil send: any bytes end in reports or an error, every view lies inside the packet, and reports
// that were read are the bytes that they came from.
#include <cstdint>
#include <cstdlib>

#include "daemon/access/report.hpp"
#include "platform/linux/seqpacket.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using reeve::access::Packet;
    using reeve::access::Report;
    const std::string_view bytes(reinterpret_cast<const char*>(data),
                                 std::min(size, reeve::platform::kMaxPacket));
    const auto reports = reeve::access::parse_reports(bytes);
    if (!reports) return 0;
    Packet again;
    for (const Report& report : *reports) {
        for (const std::string_view view :
             {report.exe, report.operation, report.path, report.target, report.rule}) {
            if (view.data() < bytes.data() || view.data() + view.size() > bytes.data() + bytes.size())
                std::abort();
        }
        if (report.count == 0 || !again.append(report)) std::abort();
    }
    if (again.bytes() != bytes) std::abort();
    return 0;
}
