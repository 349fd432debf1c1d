#include "daemon/egress/connection.hpp"

#include <sys/epoll.h>
#include <sys/socket.h>

#include <array>
#include <system_error>
#include <utility>

#include "daemon/egress/address_text.hpp"
#include "daemon/egress/clock.hpp"

namespace reeve::egress {
namespace {

// What a TLS library keeps of a hello that is not whole.
constexpr std::size_t kReader = 24 * 1024;

}  // namespace

Connection::Connection(Shared& shared, platform::Fd client, const Ends& ends, std::function<void()> over)
    : shared_(shared), client_(std::move(client)), ends_(ends), over_called_(std::move(over)) {
    report_.monotonic_ns = monotonic_ns();
}

Connection::~Connection() {
    *alive_ = false;
    if (!over_) end_with_session();
}

void Connection::end_with_session() {
    if (over_) return;
    finish(report_.verdict == policy::Verdict::deny || asked_ ? Outcome::denied : Outcome::allowed,
           "session end", "");
}

void Connection::open(Consent consent) {
    upload_.emplace(shared_.budgets, report_.host);
    opening_.emplace(decision_.verify, report_.host, report_.port);
    dial_ = std::make_unique<Dial>(shared_.outside, Target{report_.host, report_.port, literal_, consent},
                                   [this](auto outcome) { dialled(std::move(outcome)); });
    read_opening();
}

// Reads only until what has been said is enough.
void Connection::read_opening() {
    if (!opening_->passed() && !unspoken_)
        unspoken_ = shared_.unspoken.add([this](const char* why) {
            unspoken_.reset();
            finish(Outcome::failed, "timeout", why);
        });
    watch_opening();
}

void Connection::watch_opening() {
    const std::uint32_t input = opening_->passed() ? 0U : EPOLLIN;
    const auto watched = loop().watch(client_.get(), input | EPOLLRDHUP | EPOLLET,
                                      [this](std::uint32_t events) { while_opening(events); });
    if (!watched) finish(Outcome::failed, "", watched.error().text());
}

void Connection::while_opening(std::uint32_t events) {
    std::array<char, 16 * 1024> buffer;
    while (!over_ && !opening_->passed()) {
        const ssize_t got = ::recv(client_.get(), buffer.data(), buffer.size(), MSG_DONTWAIT);
        if (got < 0 && errno == EINTR) continue;
        if (got < 0 && errno == EAGAIN) break;
        if (got < 0) return finish(Outcome::allowed, "reset", std::generic_category().message(errno));
        if (got == 0) return ended_early();
        if (!take({buffer.data(), static_cast<std::size_t>(got)})) return;
    }
    if (!over_ && (events & (EPOLLHUP | EPOLLERR)) != 0)
        finish(Outcome::allowed, "reset", "the client was gone");
}

// False: it is over, or goes on as a relay.
bool Connection::take(std::string_view more) {
    const std::size_t kept = more.size() + (first_.empty() ? kReader : 0);
    first_ += more;
    if (auto s = opening_->feed(more); !s) {
        mismatched(s.error());
        return false;
    }
    if (!opening_->passed()) {
        shared_.unspoken.keep(*unspoken_, kept);
        return !over_;
    }
    spoken();
    relay_if_ready();
    return !relay_;
}

void Connection::spoken() {
    if (unspoken_) shared_.unspoken.remove(*unspoken_);
    unspoken_.reset();
}

void Connection::ended_early() {
    if (first_.empty()) return finish(Outcome::allowed, "closed", "");
    finish(Outcome::denied, "mismatch", "it ended before it had said what it is for");
}

void Connection::dialled(std::expected<Dialled, NotDialled> outcome) {
    if (!outcome) {
        NotDialled& failure = outcome.error();
        report_.address = failure.address;
        if (!failure.by_policy) return finish(Outcome::failed, "", failure.reason);
        report_.verdict = failure.decision.verdict;
        report_.by_rule = failure.decision.by_rule;
        report_.rule = failure.decision.rule;
        return deny(failure.reason);
    }
    report_.address = to_text(outcome->address);
    upstream_ = std::move(outcome->socket);
    const bool read_already = !opening_->passed();
    if (auto s = opening_->raise(outcome->verify); !s) return mismatched(s.error());
    if (!opening_->passed() && !read_already) return read_opening();
    relay_if_ready();
}

void Connection::relay_if_ready() {
    if (!upstream_ || !opening_->passed()) return;
    loop().forget(client_.get());
    Relay::Start start{.client = std::move(client_),
                       .upstream = std::move(upstream_),
                       .first = std::move(first_),
                       .released = opening_->released(),
                       .requests = opening_->take_requests()};
    relay_ = std::make_unique<Relay>(loop(), shared_.pipes, *upload_, std::move(start),
                                     [this](const Relay::End& end) { relayed(end); });
    if (auto s = relay_->start(); !s) finish(Outcome::failed, "", s.error().text());
}

void Connection::relayed(const Relay::End& end) {
    // A connection that may say nothing at all was not let through.
    const bool denied = end.how == "mismatch" || (end.how == "budget" && relay_->up() == 0);
    finish(denied ? Outcome::denied : Outcome::allowed, end.how, end.reason);
}

void Connection::mismatched(const platform::Error& error) {
    finish(Outcome::denied, "mismatch", error.why);
}

void Connection::deny(std::string reason) {
    finish(Outcome::denied, "", std::move(reason));
}

void Connection::finish(Outcome outcome, std::string ended, std::string reason) {
    if (std::exchange(over_, true)) return;
    stop_asking();
    spoken();
    dial_.reset();
    if (client_) loop().forget(client_.get());
    reset(client_);
    reset(upstream_);
    report_.outcome = outcome;
    report_.ended = std::move(ended);
    report_.reason = std::move(reason);
    report_.duration_ns = monotonic_ns() - report_.monotonic_ns;
    if (opening_) {
        report_.protocol = opening_->protocol();
        report_.sni = opening_->hello().sni;
        report_.alpn = opening_->hello().alpn;
    }
    if (relay_) {
        report_.bytes_up = relay_->up();
        report_.bytes_down = relay_->down();
    }
    relay_.reset();
    shared_.report(report_);
    loop().post([alive = alive_, this] {
        if (*alive) over_called_();
    });
}

}  // namespace reeve::egress
