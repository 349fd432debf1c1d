// One way out: a name is resolved outside, each of its addresses is held against policy, and those that pass are
// connected to as RFC 8305 (happy eyeballs) says: IPv6 first, families in turn, the next after 250 ms or at once when one
// fails.
#pragma once

#include <chrono>
#include <expected>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "daemon/egress/checked_address.hpp"
#include "daemon/egress/resolver.hpp"
#include "platform/fd.hpp"
#include "platform/linux/event_loop.hpp"
#include "policy/network.hpp"

namespace reeve::egress {

using OwnAddresses = std::function<platform::Result<std::vector<policy::Address>>()>;

struct Outside {
    platform::EventLoop& loop;
    const policy::NetworkPolicy& policy;
    Resolver& resolver;
    OwnAddresses own = own_addresses;
    std::chrono::milliseconds dial_timeout{30'000};  // all in all
    std::chrono::milliseconds next_after{250};
};

struct Target {
    std::string host;
    std::uint16_t port = 0;
    std::optional<policy::Address> literal;  // then `host` is its text
    Consent consent = Consent::none;
};

struct Dialled {
    platform::Fd socket;  // connected, non-blocking
    policy::Address address;
    policy::Verify verify;  // what policy asks of connections to that address
};
struct NotDialled {
    bool by_policy = false;            // of the name's addresses none is allowed
    policy::NetworkDecision decision;  // by_policy: about the first of them
    std::string address;               // the last that was tried, or the first that was refused; may be empty
    std::string reason;
};

class Dial {
  public:
    using Done = std::function<void(std::expected<Dialled, NotDialled>)>;
    // `done` is called at most once, from the loop, never from within; it may destroy this, which gives up.
    Dial(const Outside& outside, Target target, Done done);
    ~Dial();
    Dial(const Dial&) = delete;
    Dial& operator=(const Dial&) = delete;

  private:
    struct Candidate {
        CheckedAddress address;
        policy::Verify verify;
    };
    struct Attempt {
        platform::Fd socket;
        const Candidate* candidate;
    };
    void resolved(const Addresses& addresses);
    void consider(const std::vector<policy::Address>& addresses);
    void try_next();
    bool begin(const Candidate& candidate);
    void connected(int socket);
    void one_failed(const Candidate& candidate, int code);
    void fail(NotDialled failure);
    void settle(std::expected<Dialled, NotDialled> outcome);

    const Outside& outside_;
    const Target target_;
    Done done_;
    std::vector<Candidate> candidates_;
    std::size_t next_ = 0;
    std::vector<Attempt> attempts_;
    platform::EventLoop::TimerId deadline_ = 0, next_timer_ = 0;
    NotDialled failure_;
    std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);
};

}  // namespace reeve::egress
