// Until it is decided: what was asked for, what policy says, and what the person says.
#include <sys/epoll.h>

#include <utility>

#include "daemon/access/holes.hpp"
#include "daemon/egress/address_text.hpp"
#include "daemon/egress/connection.hpp"
#include "daemon/egress/endpoint.hpp"
#include "daemon/egress/name_text.hpp"

namespace reeve::egress {
namespace {

constexpr std::chrono::milliseconds kLookAgain{1000};

}  // namespace

void Connection::begin() {
    if (const Connecting* process = shared_.who.find(ends_)) {
        report_.pid = process->pid;
        report_.start_ns = process->start_ns;
        report_.exe = process->exe;
    }
    if (!name_it()) return;
    decision_ = decide();
    report_.verdict = decision_.verdict;
    report_.by_rule = decision_.by_rule;
    report_.rule = decision_.rule;
    if (access::lacks("egress.policy")) return open(Consent::given);
    switch (decision_.verdict) {
        case policy::Verdict::deny:
            return deny(decision_.reason);
        case policy::Verdict::allow:
            return open(Consent::none);
        case policy::Verdict::ask:
            break;
    }
    if (shared_.grants.covers(report_.host, report_.port)) return open(Consent::given);
    ask();
}

bool Connection::name_it() {
    const Endpoint asked = endpoint_of(ends_.destination);
    report_.port = asked.port;
    if (!Names::is_synthetic(asked.address)) {
        literal_ = asked.address;
        report_.host = to_text(asked.address);
        return true;
    }
    report_.host = shared_.names.name_of(asked.address);
    if (!report_.host.empty()) return true;
    report_.host = to_text(asked.address);
    deny("no name was ever given this address: names are asked for first");
    return false;
}

policy::NetworkDecision Connection::decide() const {
    const policy::NetworkPolicy& policy = shared_.outside.policy;
    if (!literal_) return policy.decide_host(report_.host, report_.port);
    const auto own = shared_.outside.own();
    if (!own) return {.reason = own.error().text()};
    return policy.decide_address(report_.host, report_.port, *literal_, *own);
}

void Connection::ask() {
    question_ = {.host = report_.host,
                 .port = report_.port,
                 .rule = decision_.rule,
                 .reason = decision_.reason,
                 .domain = registrable_domain(report_.host),
                 .exe = report_.exe};
    const auto watched = loop().watch(client_.get(), EPOLLRDHUP | EPOLLET,
                                      [this](std::uint32_t events) { while_asking(events); });
    if (!watched) return deny(watched.error().text());
    asked_ = shared_.decider.ask(question_, [this](const Answer& answer) { answered(answer); });
    ask_deadline_ = loop().after(shared_.ask_timeout, [this] {
        ask_deadline_ = 0;
        deny("nobody answered in time");
    });
}

void Connection::answered(const Answer& answer) {
    asked_.reset();
    stop_asking();
    if (!answer.allow) return deny(answer.reason);
    shared_.grants.add(question_, answer.scope);
    open(Consent::given);
}

void Connection::reconsider() {
    if (!asked_ || !shared_.grants.covers(report_.host, report_.port)) return;
    stop_asking();
    open(Consent::given);
}

void Connection::while_asking(std::uint32_t events) {
    if ((events & (EPOLLHUP | EPOLLERR)) != 0) return deny("the client was gone before there was an answer");
    if ((events & EPOLLRDHUP) != 0) look_for_client();
}

// A client that has closed only its sending side still waits for what comes back; one that has closed its socket does
// not, and looks the same on this one. It may be about to.
void Connection::look_for_client() {
    if (shared_.who.is_closed(ends_)) return deny("the client was gone before there was an answer");
    look_again_ = loop().after(kLookAgain, [this] {
        look_again_ = 0;
        look_for_client();
    });
}

void Connection::stop_asking() {
    if (asked_) shared_.decider.cancel(*asked_);
    asked_.reset();
    if (ask_deadline_ != 0) loop().cancel(std::exchange(ask_deadline_, 0));
    if (look_again_ != 0) loop().cancel(std::exchange(look_again_, 0));
}

}  // namespace reeve::egress
