#include "daemon/egress/dialer.hpp"

#include <sys/epoll.h>
#include <sys/socket.h>

#include <algorithm>
#include <system_error>
#include <utility>

#include "daemon/egress/address_text.hpp"
#include "daemon/egress/endpoint.hpp"

namespace reeve::egress {
namespace {

using platform::Fd;

constexpr std::size_t kMostTried = 16;  // of a name's addresses

std::vector<policy::Address> interleaved(const Addresses& addresses) {
    std::vector<policy::Address> all;
    for (std::size_t i = 0; i < std::max(addresses.six.size(), addresses.four.size()); ++i) {
        if (i < addresses.six.size()) all.push_back(addresses.six[i]);
        if (i < addresses.four.size()) all.push_back(addresses.four[i]);
    }
    if (all.size() > kMostTried) all.resize(kMostTried);
    return all;
}

// Begins a connection. Only what policy said yes to gets here.
platform::Result<Fd> begin_connection(const CheckedAddress& to) {
    sockaddr_storage where;
    const socklen_t length = fill({to.address(), to.port()}, where);
    Fd socket(::socket(where.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
    if (!socket) return platform::os_error("make a socket", "");
    if (::connect(socket.get(), reinterpret_cast<const sockaddr*>(&where), length) != 0 &&
        errno != EINPROGRESS)
        return platform::os_error("connect", to_text(to.address()));
    return socket;
}

int error_of(int socket) {
    int code = 0;
    socklen_t length = sizeof code;
    return ::getsockopt(socket, SOL_SOCKET, SO_ERROR, &code, &length) == 0 ? code : errno;
}

}  // namespace

Dial::Dial(const Outside& outside, Target target, Done done)
    : outside_(outside), target_(std::move(target)), done_(std::move(done)) {
    deadline_ = outside_.loop.after(outside_.dial_timeout, [this] {
        deadline_ = 0;
        if (attempts_.empty()) return fail({.reason = std::generic_category().message(ETIMEDOUT)});
        one_failed(*attempts_.back().candidate, ETIMEDOUT);
        fail(failure_);
    });
    if (target_.literal) {
        outside_.loop.post([this, alive = alive_] {
            if (*alive && done_) consider({*target_.literal});
        });
        return;
    }
    outside_.resolver.resolve(target_.host, [this, alive = alive_](const Addresses& addresses) {
        if (*alive && done_) resolved(addresses);
    });
}

Dial::~Dial() {
    *alive_ = false;
    done_ = nullptr;
    settle(std::unexpected(NotDialled{}));
}

void Dial::resolved(const Addresses& addresses) {
    if (addresses.state == Addresses::State::no_such_name) return fail({.reason = "there is no such name"});
    if (addresses.state == Addresses::State::failed)
        return fail({.reason = "the name could not be resolved: " + addresses.why});
    const auto all = interleaved(addresses);
    if (all.empty()) return fail({.reason = "the name has no address"});
    consider(all);
}

void Dial::consider(const std::vector<policy::Address>& addresses) {
    const auto own = outside_.own();
    if (!own) return fail({.reason = own.error().text()});
    for (const policy::Address& address : addresses) {
        Check checked = check(outside_.policy, target_.host, target_.port, address, *own, target_.consent);
        if (checked.address) {
            candidates_.push_back({*checked.address, checked.decision.verify});
        } else if (failure_.address.empty()) {
            failure_ = {true, std::move(checked.decision), to_text(address), {}};
        }
    }
    if (candidates_.empty()) {
        const std::string& why = failure_.decision.reason;
        failure_.reason =
            failure_.address + ": " + (why.empty() ? "policy does not allow this address" : why);
        return fail(failure_);
    }
    failure_ = {};
    try_next();
}

void Dial::try_next() {
    while (next_ < candidates_.size()) {
        const Candidate& candidate = candidates_[next_++];
        if (!begin(candidate)) continue;
        if (next_ < candidates_.size())
            next_timer_ = outside_.loop.after(outside_.next_after, [this] {
                next_timer_ = 0;
                try_next();
            });
        return;
    }
    if (attempts_.empty()) fail(failure_);
}

bool Dial::begin(const Candidate& candidate) {
    auto socket = begin_connection(candidate.address);
    if (socket) {
        const int fd = socket->get();
        const auto watched = outside_.loop.watch(fd, EPOLLOUT, [this, fd](std::uint32_t) { connected(fd); });
        if (watched) {
            attempts_.push_back({std::move(*socket), &candidate});
            return true;
        }
        socket = std::unexpected(watched.error());
    }
    one_failed(candidate, socket.error().code);
    return false;
}

void Dial::one_failed(const Candidate& candidate, int code) {
    failure_.address = to_text(candidate.address.address());
    failure_.reason = failure_.address + ": " + std::generic_category().message(code);
}

void Dial::connected(int socket) {
    const auto found = std::ranges::find(attempts_, socket, [](const Attempt& a) { return a.socket.get(); });
    outside_.loop.forget(socket);
    Attempt attempt = std::move(*found);
    attempts_.erase(found);
    const int code = error_of(socket);
    if (code == 0)
        return settle(Dialled{std::move(attempt.socket), attempt.candidate->address.address(),
                              attempt.candidate->verify});
    one_failed(*attempt.candidate, code);
    if (next_timer_ != 0) outside_.loop.cancel(std::exchange(next_timer_, 0));
    try_next();
}

void Dial::fail(NotDialled failure) {
    settle(std::unexpected(std::move(failure)));
}

void Dial::settle(std::expected<Dialled, NotDialled> outcome) {
    for (const Attempt& attempt : attempts_) outside_.loop.forget(attempt.socket.get());
    attempts_.clear();
    if (deadline_ != 0) outside_.loop.cancel(std::exchange(deadline_, 0));
    if (next_timer_ != 0) outside_.loop.cancel(std::exchange(next_timer_, 0));
    const Done done = std::exchange(done_, nullptr);
    if (done) done(std::move(outcome));
}

}  // namespace reeve::egress
