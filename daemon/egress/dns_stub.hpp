// The name server of a session: its DNS doors, UDP and TCP, with lookups.hpp behind them.
//
// It does not cover: DNS over TLS or HTTPS, which are connections like any other.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>

#include "daemon/egress/clock.hpp"
#include "daemon/egress/lookups.hpp"
#include "platform/linux/event_loop.hpp"
#include "platform/result.hpp"

namespace reeve::egress {

// Non-blocking, the caller's, and open for as long as the stub is there; -1: there is none.
struct DnsDoors {
    int udp4 = -1, udp6 = -1, tcp4 = -1, tcp6 = -1;
};

class DnsTcp;

// For the loop's thread.
class DnsStub {
  public:
    // All outlive the stub.
    struct Parts {
        platform::EventLoop& loop;
        const policy::NetworkPolicy& policy;
        Names& names;
        Resolver& resolver;
        NameBudget& budget;
        std::function<void(Report)> report;
        std::function<std::uint64_t()> now_ns = monotonic_ns;
    };
    static platform::Result<std::unique_ptr<DnsStub>> create(const DnsDoors& doors, Parts parts);
    DnsStub(const DnsStub&) = delete;
    DnsStub& operator=(const DnsStub&) = delete;
    // What waits to be reported is reported.
    ~DnsStub();

    // Reports what waits, now: for the session's end.
    void flush() { reports_.flush(); }

  private:
    DnsStub(const DnsDoors& doors, Parts parts);
    platform::Status open_udp(int door);
    void read_udp(int door);
    void answer_udp(int door, std::string_view query, const std::string& asker);

    platform::EventLoop& loop_;
    DnsDoors doors_;
    LookupReports reports_;
    Lookups lookups_;
    std::unique_ptr<DnsTcp> tcp_;
};

}  // namespace reeve::egress
