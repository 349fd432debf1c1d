// Reports to reeved, each sent before the access is answered. access::Reporter, which joins equal ones, takes its place.
#pragma once

#include <mutex>

#include "daemon/access/report.hpp"
#include "platform/fd.hpp"
#include "platform/linux/seqpacket.hpp"

namespace reeve::veil {

class PlainReports {
  public:
    explicit PlainReports(platform::Fd control) : control_(std::move(control)) {}
    bool add(const access::Report& report) {
        access::Packet packet;
        const std::scoped_lock lock(mutex_);
        return packet.append(report) && platform::send_packet(control_.get(), packet.bytes()).has_value();
    }
    void finish() {}
    int control() const { return control_.get(); }

  private:
    std::mutex mutex_;
    platform::Fd control_;
};

}  // namespace reeve::veil
