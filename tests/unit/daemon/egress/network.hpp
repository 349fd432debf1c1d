// What tests of connections share: a loop in a thread of its own, loopback sockets, policies in a line.
#pragma once

#include <gtest/gtest.h>
#include <poll.h>
#include <sys/socket.h>

#include <chrono>
#include <functional>
#include <future>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "daemon/egress/endpoint.hpp"
#include "daemon/egress/resolver.hpp"
#include "platform/fd.hpp"
#include "platform/linux/event_loop.hpp"
#include "policy/network.hpp"

namespace reeve::test {

inline constexpr std::chrono::seconds kPatience{20};

class LoopThread {
  public:
    LoopThread()
        : loop_(std::move(*platform::EventLoop::create())), thread_([this] { (void)loop_->run(); }) {}
    ~LoopThread() {
        loop_->stop();
        thread_.join();
    }
    platform::EventLoop& loop() { return *loop_; }
    // Runs it in the loop's thread, and waits.
    template <class F>
    auto on(F work) {
        std::packaged_task<decltype(work())()> task(std::move(work));
        auto done = task.get_future();
        loop_->post([&task] { task(); });
        return done.get();
    }
    // Until the loop says yes: asked again after each of its turns.
    bool until(std::function<bool()> yes) {
        const auto deadline = std::chrono::steady_clock::now() + kPatience;
        while (!on(yes))
            if (std::chrono::steady_clock::now() > deadline) return false;
        return true;
    }

  private:
    std::unique_ptr<platform::EventLoop> loop_;
    std::thread thread_;
};

inline policy::Address address(std::string_view text) {
    return *policy::parse_address(text);
}

// Blocking, and every wait ends.
inline void be_patient(int socket) {
    const timeval patience{.tv_sec = kPatience.count(), .tv_usec = 0};
    ::setsockopt(socket, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
    ::setsockopt(socket, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof patience);
}

class Listener {
  public:
    explicit Listener(std::string_view on = "127.0.0.1", std::uint16_t port = 0, int backlog = 64) {
        sockaddr_storage where;
        const socklen_t length = egress::fill({address(on), port}, where);
        socket_.reset(::socket(where.ss_family, SOCK_STREAM | SOCK_CLOEXEC, 0));
        be_patient(socket_.get());
        const int yes = 1;
        ::setsockopt(socket_.get(), SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes);
        if (::bind(socket_.get(), reinterpret_cast<sockaddr*>(&where), length) != 0 ||
            ::listen(socket_.get(), backlog) != 0)
            socket_.reset();
    }
    bool good() const { return static_cast<bool>(socket_); }
    int fd() const { return socket_.get(); }
    egress::Endpoint endpoint() const {
        sockaddr_storage where{};
        socklen_t length = sizeof where;
        ::getsockname(socket_.get(), reinterpret_cast<sockaddr*>(&where), &length);
        return egress::endpoint_of(where);
    }
    std::uint16_t port() const { return endpoint().port; }
    platform::Fd accept() const {
        platform::Fd peer(::accept4(socket_.get(), nullptr, nullptr, SOCK_CLOEXEC));
        if (peer) be_patient(peer.get());
        return peer;
    }
    bool somebody_waits() const {
        pollfd waits{.fd = socket_.get(), .events = POLLIN, .revents = 0};
        return ::poll(&waits, 1, 0) == 1;
    }
    platform::Fd release() { return std::move(socket_); }

  private:
    platform::Fd socket_;
};

inline platform::Fd connect_to(const egress::Endpoint& to) {
    sockaddr_storage where;
    const socklen_t length = egress::fill(to, where);
    platform::Fd socket(::socket(where.ss_family, SOCK_STREAM | SOCK_CLOEXEC, 0));
    be_patient(socket.get());
    if (::connect(socket.get(), reinterpret_cast<sockaddr*>(&where), length) != 0) socket.reset();
    return socket;
}

struct TcpPair {
    platform::Fd far, near;  // near: non-blocking, the product's
};
inline TcpPair tcp_pair() {
    const Listener listener;
    TcpPair pair{connect_to(listener.endpoint()), {}};
    pair.near.reset(::accept4(listener.fd(), nullptr, nullptr, SOCK_CLOEXEC | SOCK_NONBLOCK));
    return pair;
}

inline bool send_all(int socket, std::string_view bytes) {
    while (!bytes.empty()) {
        const ssize_t sent = ::send(socket, bytes.data(), bytes.size(), MSG_NOSIGNAL);
        if (sent <= 0) return false;
        bytes.remove_prefix(static_cast<std::size_t>(sent));
    }
    return true;
}
// Fewer where it ends before.
inline std::string receive(int socket, std::size_t count) {
    std::string bytes(count, '\0');
    std::size_t have = 0;
    while (have < count) {
        const ssize_t got = ::recv(socket, bytes.data() + have, count - have, 0);
        if (got <= 0) break;
        have += static_cast<std::size_t>(got);
    }
    bytes.resize(have);
    return bytes;
}
// What a read says now: 0 at the end, else -errno.
inline int end_of(int socket) {
    char byte;
    const ssize_t got = ::recv(socket, &byte, 1, 0);
    return got < 0 ? -errno : static_cast<int>(got);
}
inline void reset(platform::Fd& socket) {
    const linger at_once{.l_onoff = 1, .l_linger = 0};
    ::setsockopt(socket.get(), SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
    socket.reset();
}

// Answers what it was told, and keeps those that it was not told.
class ScriptedResolver final : public egress::Resolver {
  public:
    explicit ScriptedResolver(platform::EventLoop& loop) : loop_(loop) {}
    void resolve(const std::string& name, std::function<void(const egress::Addresses&)> done) override {
        asked.push_back(name);
        const auto found = answers.find(name);
        if (found == answers.end()) return;
        loop_.post([answer = found->second, done = std::move(done)] { done(answer); });
    }
    void found(const std::string& name, std::vector<std::string_view> addresses) {
        egress::Addresses& answer = answers[name];
        answer.state = egress::Addresses::State::found;
        for (const std::string_view text : addresses)
            (text.find(':') == std::string_view::npos ? answer.four : answer.six).push_back(address(text));
    }
    std::map<std::string, egress::Addresses> answers;
    std::vector<std::string> asked;

  private:
    platform::EventLoop& loop_;
};

inline policy::NetworkPolicy::Entry rule(policy::Verdict verdict, std::vector<std::string> hosts,
                                         policy::Verify verify = policy::Verify::name, bool local = true) {
    using policy::AddressClass;
    policy::NetworkRule made;
    made.id = std::string(policy::name_of(verdict)) + "-" + (hosts.empty() ? "any" : hosts.front());
    made.verdict = verdict;
    made.verify = verify;
    made.target.hosts = std::move(hosts);
    made.reason = "because of " + made.id;
    if (local)
        for (const AddressClass kind : {AddressClass::own, AddressClass::loopback})
            made.target.addresses.push_back({kind, {}, 0});
    return {policy::Authority::vendor, made.id, made};
}

}  // namespace reeve::test
