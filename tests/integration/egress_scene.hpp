// The real reeve-egress over the real doors of a network namespace, with servers on this machine's loopback outside.
// Needs root.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "daemon/egress/processes.hpp"
#include "daemon/egress/report.hpp"
#include "platform/fd.hpp"
#include "platform/linux/network/doors.hpp"
#include "tests/unit/daemon/egress/network.hpp"

namespace reeve::test {

struct EgressOptions {
    // Network rules as in a policy document.
    std::string rules = R"({"allow": {"hosts": ["allowed.example"], "addresses": ["own", "loopback"]}},
        {"allow": {"hosts": ["any.example"], "addresses": ["own", "loopback"]}, "verify": "address"},
        {"allow": {"hosts": ["public.example"]}})";
    std::vector<std::string> names{"allowed.example", "any.example",
                                   "public.example"};  // of 127.0.0.1, outside
    std::uint64_t host_upload = 0, session_upload = 0;
};

class EgressProcess {
  public:
    explicit EgressProcess(const EgressOptions& options = {});
    ~EgressProcess();
    EgressProcess(const EgressProcess&) = delete;
    EgressProcess& operator=(const EgressProcess&) = delete;

    // What the stub says a name's IPv4 address is; empty where it says none.
    std::string look_up(const std::string& name) const;
    // A socket of the session, connected to that name or address. `before` sees it before it connects.
    platform::Fd connect(
        const std::string& host, std::uint16_t port,
        const std::function<void(int)>& before = [](int) {}) const;
    // Runs a program in the session's network, and gives what it prints.
    std::string run_inside(const std::vector<std::string>& command) const;
    // The next one of a connection.
    egress::Report report();
    // As reeve-keeper tells it.
    void tell(const egress::Connecting& connecting) const;
    // As reeved ends it. Gives the exit code; reports() are those that came then.
    int end();
    const std::vector<egress::Report>& reports() const { return reports_; }
    bool said_all() const { return said_all_; }

    pid_t pid() const { return pid_; }
    std::size_t resident_kib() const;
    std::size_t pipes() const;

  private:
    void make_network();
    void start(const EgressOptions& options);
    void inside(const std::function<void()>& work) const;
    bool receive_reports();

    std::string folder_;
    platform::Fd network_;
    platform::network::Doors doors_;
    platform::Fd control_, keeper_;
    pid_t pid_ = -1;
    std::vector<egress::Report> reports_;
    std::size_t given_ = 0;
    bool said_all_ = false;
};

}  // namespace reeve::test
