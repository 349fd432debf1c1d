#include "daemon/egress/ares_resolver.hpp"

#include <ares.h>
#include <netinet/in.h>
#include <sys/epoll.h>
#include <sys/stat.h>

#include <algorithm>
#include <chrono>
#include <optional>
#include <utility>

#include "daemon/egress/address_text.hpp"

namespace reeve::egress {
namespace {

constexpr std::uint32_t kMostTtl = 60;  // seconds: longer, and a name that moved is missed for too long
constexpr std::size_t kMostKnown = 4096;

std::unexpected<platform::Error> cannot(int status) {
    return platform::error("set up c-ares", "", ::ares_strerror(status), "look at /etc/resolv.conf");
}

struct Answered {
    Addresses addresses;
    std::uint32_t ttl = 0;
};

void take(Answered& answer, const ares_addrinfo_node& node) {
    if (node.ai_family == AF_INET)
        answer.addresses.four.push_back(
            four_address(reinterpret_cast<const sockaddr_in*>(node.ai_addr)->sin_addr));
    if (node.ai_family == AF_INET6)
        answer.addresses.six.push_back(
            six_address(reinterpret_cast<const sockaddr_in6*>(node.ai_addr)->sin6_addr));
}

Answered answer_of(int status, const ares_addrinfo* info) {
    Answered answer;
    if (status == ARES_ENODATA) {
        answer.addresses.state = Addresses::State::found;
    } else if (status == ARES_ENOTFOUND) {
        answer.addresses.state = Addresses::State::no_such_name;
    } else if (status != ARES_SUCCESS || info == nullptr) {
        answer.addresses.why = ::ares_strerror(status);
    } else {
        answer.addresses.state = Addresses::State::found;
        answer.ttl = kMostTtl;
        const auto within = [&](int ttl) {
            answer.ttl = std::min(answer.ttl, static_cast<std::uint32_t>(std::max(ttl, 0)));
        };
        for (const auto* node = info->nodes; node != nullptr; node = node->ai_next) {
            take(answer, *node);
            within(node->ai_ttl);
        }
        for (const auto* alias = info->cnames; alias != nullptr; alias = alias->next) within(alias->ttl);
    }
    return answer;
}

}  // namespace

// One configuration of c-ares, with its sockets and its timer on the loop.
class AresResolver::Channel {
  public:
    static platform::Result<std::unique_ptr<Channel>> create(AresResolver& owner);
    Channel(const Channel&) = delete;
    Channel& operator=(const Channel&) = delete;
    ~Channel();

    void ask(const std::string& name);
    bool is_idle() const { return outstanding_ == 0; }

  private:
    struct Question {
        Channel& channel;
        std::string name;
    };
    explicit Channel(AresResolver& owner) : owner_(owner) {}
    static void on_answer(void* question, int status, int timeouts, ares_addrinfo* info);
    static void on_socket(void* self, ares_socket_t socket, int readable, int writable);
    void process(ares_socket_t readable, ares_socket_t writable);
    void set_timer();

    AresResolver& owner_;
    ares_channel ares_ = nullptr;
    std::size_t outstanding_ = 0;
    std::optional<platform::EventLoop::TimerId> timer_;
    bool closing_ = false;
};

platform::Result<std::unique_ptr<AresResolver::Channel>> AresResolver::Channel::create(AresResolver& owner) {
    std::unique_ptr<Channel> channel(new Channel(owner));
    const Options& wanted = owner.options_;
    std::string lookups = wanted.use_hosts ? "fb" : "b", config = wanted.config;
    ares_options options{};
    options.flags = ARES_FLAG_NOSEARCH | ARES_FLAG_NOALIASES;
    options.timeout = wanted.timeout_ms;
    options.tries = wanted.tries;
    // NOSEARCH is not for ares_getaddrinfo (1.18): no domains to search, and every name first as it is.
    options.ndots = 0;
    options.ndomains = 0;
    options.lookups = lookups.data();
    options.resolvconf_path = config.data();
    options.sock_state_cb = &Channel::on_socket;
    options.sock_state_cb_data = channel.get();
    constexpr int kSet = ARES_OPT_FLAGS | ARES_OPT_TIMEOUTMS | ARES_OPT_TRIES | ARES_OPT_NDOTS |
                         ARES_OPT_DOMAINS | ARES_OPT_LOOKUPS | ARES_OPT_RESOLVCONF | ARES_OPT_SOCK_STATE_CB;
    int status = ::ares_init_options(&channel->ares_, &options, kSet);
    if (status != ARES_SUCCESS) return cannot(status);
    if (!wanted.servers.empty()) {
        status = ::ares_set_servers_ports_csv(channel->ares_, wanted.servers.c_str());
        if (status != ARES_SUCCESS) return cannot(status);
    }
    return channel;
}

AresResolver::Channel::~Channel() {
    closing_ = true;  // ares_destroy() answers every question
    if (ares_ != nullptr) ::ares_destroy(ares_);
    if (timer_) owner_.loop_.cancel(*timer_);
}

void AresResolver::Channel::ask(const std::string& name) {
    ares_addrinfo_hints hints{};
    hints.ai_family = AF_UNSPEC;
    hints.ai_flags = ARES_AI_NOSORT;
    ++outstanding_;
    auto question = std::make_unique<Question>(Question{*this, name});
    ::ares_getaddrinfo(ares_, name.c_str(), nullptr, &hints, &Channel::on_answer, question.release());
    set_timer();
}

void AresResolver::Channel::on_answer(void* argument, int status, int, ares_addrinfo* info) {
    const std::unique_ptr<Question> question(static_cast<Question*>(argument));
    const std::unique_ptr<ares_addrinfo, decltype(&::ares_freeaddrinfo)> held(info, &::ares_freeaddrinfo);
    Channel& self = question->channel;
    --self.outstanding_;
    if (self.closing_) return;
    const Answered answer = answer_of(status, info);
    self.owner_.answered(question->name, answer.addresses, answer.ttl);
}

void AresResolver::Channel::on_socket(void* argument, ares_socket_t socket, int readable, int writable) {
    auto& self = *static_cast<Channel*>(argument);
    auto& loop = self.owner_.loop_;
    if (readable == 0 && writable == 0) return loop.forget(socket);
    const std::uint32_t events = (readable != 0 ? EPOLLIN : 0U) | (writable != 0 ? EPOLLOUT : 0U);
    // Where it cannot be watched, the question ends by its timeout.
    (void)loop.watch(socket, events, [&self, socket](std::uint32_t seen) {
        const bool broken = (seen & (EPOLLERR | EPOLLHUP)) != 0;
        self.process(broken || (seen & EPOLLIN) != 0 ? socket : ARES_SOCKET_BAD,
                     broken || (seen & EPOLLOUT) != 0 ? socket : ARES_SOCKET_BAD);
    });
}

void AresResolver::Channel::process(ares_socket_t readable, ares_socket_t writable) {
    ::ares_process_fd(ares_, readable, writable);
    set_timer();
}

void AresResolver::Channel::set_timer() {
    auto& loop = owner_.loop_;
    if (timer_) loop.cancel(*timer_);
    timer_.reset();
    timeval left{};
    if (::ares_timeout(ares_, nullptr, &left) == nullptr) return;
    // Rounded up, so that it is due when the timer is.
    const auto delay = std::chrono::seconds(left.tv_sec) + std::chrono::microseconds(left.tv_usec);
    timer_ = loop.after(std::chrono::ceil<std::chrono::milliseconds>(delay), [this] {
        timer_.reset();
        process(ARES_SOCKET_BAD, ARES_SOCKET_BAD);
    });
}

AresResolver::AresResolver(platform::EventLoop& loop, Options options)
    : loop_(loop), options_(std::move(options)), alive_(std::make_shared<bool>(true)) {}

AresResolver::~AresResolver() = default;

platform::Result<std::unique_ptr<AresResolver>> AresResolver::create(platform::EventLoop& loop,
                                                                     Options options) {
    static const int kStarted = ::ares_library_init(ARES_LIB_INIT_ALL);
    if (kStarted != ARES_SUCCESS) return cannot(kStarted);
    std::unique_ptr<AresResolver> resolver(new AresResolver(loop, std::move(options)));
    if (auto first = resolver->channel(); !first) return std::unexpected(first.error());
    return resolver;
}

AresResolver::Version AresResolver::version_of_config() const {
    struct stat seen {};
    if (::stat(options_.config.c_str(), &seen) != 0) return {};
    return {seen.st_mtim.tv_sec, seen.st_mtim.tv_nsec, seen.st_ino};
}

// A changed configuration gets a new channel: c-ares 1.18 has no ares_reinit(). Those before it end what they have.
platform::Result<AresResolver::Channel*> AresResolver::channel() {
    const Version now = version_of_config();
    if (!channels_.empty() && now == version_) return channels_.back().get();
    std::erase_if(channels_, [](const auto& old) { return old->is_idle(); });
    auto made = Channel::create(*this);
    if (!made) return std::unexpected(made.error());
    known_.clear();  // another network's names
    known_order_.clear();
    version_ = now;
    channels_.push_back(std::move(*made));
    return channels_.back().get();
}

void AresResolver::resolve(const std::string& name, std::function<void(const Addresses&)> done) {
    const auto use = channel();
    const auto known = known_.find(name);
    if (known != known_.end() && options_.now_ns() < known->second.until_ns)
        return post([done = std::move(done), addresses = known->second.addresses] { done(addresses); });
    auto& waiting = waiting_[name];
    waiting.push_back(std::move(done));
    if (waiting.size() > 1) return;
    if (use) return (*use)->ask(name);
    Addresses failed;
    failed.why = use.error().text();
    answered(name, failed, 0);
}

void AresResolver::answered(const std::string& name, const Addresses& addresses, std::uint32_t ttl) {
    if (ttl != 0) remember(name, addresses, ttl);
    const auto found = waiting_.find(name);
    if (found == waiting_.end()) return;
    std::vector<Done> all = std::move(found->second);
    waiting_.erase(found);
    post([all = std::move(all), addresses] {
        for (const Done& done : all) done(addresses);
    });
}

void AresResolver::post(std::function<void()> work) {
    loop_.post([alive = std::weak_ptr(alive_), work = std::move(work)] {
        if (!alive.expired()) work();
    });
}

void AresResolver::remember(const std::string& name, const Addresses& addresses, std::uint32_t ttl) {
    const Known known{addresses, options_.now_ns() + std::uint64_t{ttl} * 1'000'000'000};
    if (!known_.contains(name)) {
        if (known_order_.size() >= kMostKnown) {
            known_.erase(known_order_.front());
            known_order_.pop_front();
        }
        known_order_.push_back(name);
    }
    known_[name] = known;
}

}  // namespace reeve::egress
