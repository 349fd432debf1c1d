// reeve-egress: one session's way out. Started by reeved under a user of its own, with the descriptors of setup.hpp.
#include <signal.h>
#include <sys/epoll.h>
#include <sys/stat.h>

#include <algorithm>
#include <cstdio>
#include <optional>
#include <utility>

#include "daemon/egress/acceptor.hpp"
#include "daemon/egress/ares_resolver.hpp"
#include "daemon/egress/dns_stub.hpp"
#include "daemon/egress/no_decider.hpp"
#include "daemon/egress/reporting.hpp"
#include "daemon/egress/seal.hpp"
#include "daemon/egress/setup.hpp"
#include "platform/linux/memfd.hpp"
#include "platform/linux/network/doors.hpp"
#include "platform/linux/network/sockets.hpp"

namespace reeve::egress {
namespace {

using platform::Fd;
using platform::Result;
using platform::Status;
using platform::network::Door;

// Of one connection: two sockets, and while bytes are on their way two pipes.
constexpr std::size_t kDescriptorsEach = 3, kOtherDescriptors = 256, kMostConnections = 4096;

// Half of the range for each of two generations.
constexpr std::size_t kNamesEach = 65'000;

// What there is nothing for is /dev/null.
Fd take_socket(int fd) {
    struct stat what {};
    Fd taken(fd);
    if (::fstat(fd, &what) != 0) (void)taken.release();
    return taken && S_ISSOCK(what.st_mode) ? std::move(taken) : Fd();
}

Fd take_door(Door door) {
    return take_socket(kDoorsFd + static_cast<int>(door));
}

struct Started {
    Setup setup;
    policy::NetworkPolicy policy;
};

Result<Started> read_setup() {
    const auto bytes = platform::read_memfd(kSetupFd, true);
    if (!bytes) return std::unexpected(bytes.error());
    auto setup = Setup::decode(*bytes);
    if (!setup) return std::unexpected(setup.error());
    auto policy = policy::NetworkPolicy::decode(setup->network);
    if (!policy) return platform::error("read the network rules", setup->session, "malformed");
    return Started{std::move(*setup), std::move(*policy)};
}

std::size_t most_connections(std::size_t descriptors) {
    const std::size_t left = descriptors - std::min(descriptors, kOtherDescriptors);
    return std::clamp<std::size_t>(left / kDescriptorsEach, 16, kMostConnections);
}

// All parts of it. They are given away in the opposite order.
class Egress {
  public:
    Egress(platform::EventLoop& loop, Started started, std::size_t most)
        : loop_(loop),
          policy_(std::move(started.policy)),
          names_(kNamesEach, started.setup.generation * kNamesEach),
          budgets_(started.setup.host_upload, started.setup.session_upload),
          name_budget_(policy_),
          most_(most) {}

    Status open() {
        auto resolver = AresResolver::create(loop_, {});
        if (!resolver) return std::unexpected(resolver.error());
        resolver_ = std::move(*resolver);
        shared_.emplace(Shared{.outside = {.loop = loop_, .policy = policy_, .resolver = *resolver_},
                               .names = names_,
                               .decider = decider_,
                               .grants = grants_,
                               .budgets = budgets_,
                               .pipes = pipes_,
                               .who = who_,
                               .unspoken = unspoken_,
                               .report = [this](const Report& report) { reporting_.add(report); }});
        acceptor_.emplace(*shared_, std::array{take_door(Door::tcp4), take_door(Door::tcp6)},
                          Acceptor::Options{.most = most_});
        if (auto s = reporting_.start(); !s) return s;
        if (auto s = who_.start(); !s) return s;
        return begin();
    }

  private:
    Status begin() {
        auto lookups = DnsStub::create(
            {.udp4 = dns_[0].get(), .udp6 = dns_[1].get(), .tcp4 = dns_[2].get(), .tcp6 = dns_[3].get()},
            {.loop = loop_,
             .policy = policy_,
             .names = names_,
             .resolver = *resolver_,
             .budget = name_budget_,
             .report = [this](const Report& report) { reporting_.add(report); }});
        if (!lookups) return std::unexpected(lookups.error());
        lookups_ = std::move(*lookups);
        return acceptor_->on();
    }

    // Not at once: who finds that there is no room is in the middle of what is switched off.
    void room(bool there_is) {
        loop_.post([this, there_is] {
            if (over_ || there_is == (lookups_ != nullptr)) return;
            if (there_is) {
                if (!begin()) loop_.stop();
            } else {
                acceptor_->off();
                lookups_.reset();
            }
        });
    }

    void over() {
        over_ = true;
        loop_.post([this] {
            acceptor_->end();
            lookups_.reset();
            reporting_.finish([this] { loop_.stop(); });
        });
    }

    Result<std::uint64_t> inode_of(const Ends& ends) {
        if (!diag_) return platform::error("find a socket of the session", "", "there is no sock_diag");
        return platform::network::socket_inode(diag_.get(), ends.client, ends.destination);
    }

    platform::EventLoop& loop_;
    const policy::NetworkPolicy policy_;
    Reporting reporting_{
        loop_, Fd(kControlFd), {}, [this](bool there_is) { room(there_is); }, [this] { over(); }};
    Fd diag_ = take_door(Door::diag);
    Who who_{loop_, take_socket(kProcessesFd), [this](const Ends& ends) { return inode_of(ends); }};
    std::array<Fd, 4> dns_{take_door(Door::dns_udp4), take_door(Door::dns_udp6), take_door(Door::dns_tcp4),
                           take_door(Door::dns_tcp6)};
    Names names_;
    NoDecider decider_{loop_};
    Grants grants_;
    Budgets budgets_;
    NameBudget name_budget_;
    Pipes pipes_;
    Unspoken unspoken_{loop_, {}};
    const std::size_t most_;
    bool over_ = false;
    std::unique_ptr<AresResolver> resolver_;
    std::optional<Shared> shared_;
    std::optional<Acceptor> acceptor_;
    std::unique_ptr<DnsStub> lookups_;
};

Status run() {
    const auto descriptors = protect();
    if (!descriptors) return std::unexpected(descriptors.error());
    ::signal(SIGPIPE, SIG_IGN);  // of splice(), which has no MSG_NOSIGNAL
    auto started = read_setup();
    if (!started) return std::unexpected(started.error());
    auto loop = platform::EventLoop::create();
    if (!loop) return std::unexpected(loop.error());
    { const HelloReader reads_what_openssl_configures; }
    Egress egress(**loop, std::move(*started), most_connections(*descriptors));
    if (auto s = egress.open(); !s) return s;
    if (auto s = enter_seal(); !s) return s;
    return (*loop)->run();
}

}  // namespace
}  // namespace reeve::egress

int main() {
    const auto done = reeve::egress::run();
    if (!done) std::fprintf(stderr, "reeve-egress: %s\n", done.error().text().c_str());
    return done ? 0 : 1;
}
