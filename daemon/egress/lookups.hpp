// What a session gets to know of a name: policy is asked before anything leaves the machine, and what it gets is a
// synthetic address, never the real one. Knows no socket.
//
// | the name | what is said |
// | --- | --- |
// | is no host's (odd bytes, an address, .local, .onion, .invalid, .arpa) | NXDOMAIN; odd bytes: REFUSED |
// | is localhost or under it (RFC 6761) | the loopback address |
// | is a synthetic address's, PTR | its name |
// | denied | NXDOMAIN |
// | ask | a synthetic address, and nothing is resolved: the connection asks |
// | allowed | is resolved outside, then a synthetic address for each family that it has there |
// | allowed, neither A nor AAAA | no data, so that no key of ECH gets in (HTTPS, SVCB), and nothing out (TXT) |
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include "daemon/egress/dns_message.hpp"
#include "daemon/egress/lookup_reports.hpp"
#include "daemon/egress/name_budget.hpp"
#include "daemon/egress/names.hpp"
#include "daemon/egress/resolver.hpp"

namespace reeve::egress {

class Lookups {
  public:
    // All outlive this.
    struct Parts {
        const policy::NetworkPolicy& policy;
        Names& names;
        Resolver& resolver;
        NameBudget& budget;
        LookupReports& reports;
        std::function<std::uint64_t()> now_ns;  // CLOCK_MONOTONIC
        bool has_six = true;  // the session has IPv6; else no AAAA is given that nothing could be sent to
    };
    using Done = std::function<void(const DnsAnswer&)>;

    explicit Lookups(Parts parts);
    Lookups(const Lookups&) = delete;
    Lookups& operator=(const Lookups&) = delete;
    ~Lookups();

    // `done` is called once, from within or from the loop; not after this is gone.
    void answer(const DnsQuestion& question, Done done);

  private:
    struct Asked;
    DnsAnswer local_host(const DnsQuestion& question) const;
    DnsAnswer pointer(const DnsQuestion& question);
    DnsAnswer refuse(Asked asked, ResponseCode code, std::string reason);
    DnsAnswer synthetic(Asked asked, bool has_four, bool has_six);
    DnsAnswer resolved(Asked asked, const Addresses& found);
    void resolve(Asked asked, Done done);
    void report(Asked& asked);

    Parts parts_;
    std::size_t outstanding_ = 0;
    std::shared_ptr<bool> alive_;
};

}  // namespace reeve::egress
