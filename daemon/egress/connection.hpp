// One connection of the session, from accept to its report.
//
// What it asked for is named and put to policy, and to the person where policy asks. While it is dialled, what it says
// first is read and held against its name (opening.hpp); only when both have come out well do bytes go either way.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "daemon/egress/decider.hpp"
#include "daemon/egress/dialer.hpp"
#include "daemon/egress/grants.hpp"
#include "daemon/egress/names.hpp"
#include "daemon/egress/opening.hpp"
#include "daemon/egress/relay.hpp"
#include "daemon/egress/report.hpp"
#include "daemon/egress/unspoken.hpp"
#include "daemon/egress/upload.hpp"
#include "daemon/egress/who.hpp"

namespace reeve::egress {

// What all connections of a session share. All of it outlives them.
struct Shared {
    Outside outside;  // with the loop and the policy
    const Names& names;
    Decider& decider;
    Grants& grants;
    Budgets& budgets;
    Pipes& pipes;
    Who& who;
    Unspoken& unspoken;
    std::function<void(const Report&)> report;
    std::chrono::milliseconds ask_timeout{120'000};
};

class Connection {
  public:
    // `over` is called once, from the loop, never from within; the report is given by then.
    Connection(Shared& shared, platform::Fd client, const Ends& ends, std::function<void()> over);
    ~Connection();
    Connection(const Connection&) = delete;
    Connection& operator=(const Connection&) = delete;

    void begin();
    // Goes on if what it waits for has been granted meanwhile.
    void reconsider();
    // Resets it: "session end".
    void end_with_session();
    bool is_over() const { return over_; }

  private:
    // connection_begin.cpp
    bool name_it();
    policy::NetworkDecision decide() const;
    void ask();
    void answered(const Answer& answer);
    void while_asking(std::uint32_t events);
    void look_for_client();
    void stop_asking();

    void open(Consent consent);
    void read_opening();
    void watch_opening();
    bool take(std::string_view more);
    void while_opening(std::uint32_t events);
    void ended_early();
    void spoken();
    void dialled(std::expected<Dialled, NotDialled> outcome);
    void relay_if_ready();
    void relayed(const Relay::End& end);
    void mismatched(const platform::Error& error);

    void deny(std::string reason);
    void finish(Outcome outcome, std::string ended, std::string reason);
    platform::EventLoop& loop() const { return shared_.outside.loop; }

    Shared& shared_;
    platform::Fd client_;
    const Ends ends_;
    std::function<void()> over_called_;
    bool over_ = false;

    Report report_;
    std::optional<policy::Address> literal_;
    policy::NetworkDecision decision_;
    std::optional<std::uint64_t> asked_;
    Question question_;
    platform::EventLoop::TimerId ask_deadline_ = 0, look_again_ = 0;

    std::optional<Upload> upload_;
    std::optional<Opening> opening_;
    std::optional<Unspoken::Id> unspoken_;
    std::string first_;  // read and not yet sent
    std::unique_ptr<Dial> dial_;
    platform::Fd upstream_;
    std::unique_ptr<Relay> relay_;
    std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);
};

}  // namespace reeve::egress
