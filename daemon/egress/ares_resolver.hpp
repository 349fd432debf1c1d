// The system's resolver: resolv.conf and hosts, by c-ares on the loop.
//
// It reads /etc/resolv.conf, /etc/hosts, /etc/nsswitch.conf, /etc/host.conf and /dev/urandom, and makes AF_INET and
// AF_INET6 sockets, UDP and TCP. It does not cover: mDNS and other sources of nsswitch.conf; DNSSEC.
#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <list>
#include <memory>
#include <string>
#include <unordered_map>
#include <vector>

#include "daemon/egress/clock.hpp"
#include "daemon/egress/resolver.hpp"
#include "platform/linux/event_loop.hpp"
#include "platform/result.hpp"

namespace reeve::egress {

class AresResolver : public Resolver {
  public:
    struct Options {
        std::string servers;                      // "127.0.0.1:5353,[::1]:53"; empty: those of resolv.conf
        std::string config = "/etc/resolv.conf";  // when this changes it is read again
        bool use_hosts = true;                    // /etc/hosts
        int timeout_ms = 2000;                    // of a server's first try; it doubles
        int tries = 3;
        std::function<std::uint64_t()> now_ns = monotonic_ns;
    };
    // `loop` outlives it. An Error: c-ares cannot be set up.
    static platform::Result<std::unique_ptr<AresResolver>> create(platform::EventLoop& loop, Options options);
    AresResolver(const AresResolver&) = delete;
    AresResolver& operator=(const AresResolver&) = delete;
    // What was not answered never is.
    ~AresResolver() override;

    void resolve(const std::string& name, std::function<void(const Addresses&)> done) override;

  private:
    using Done = std::function<void(const Addresses&)>;
    class Channel;
    struct Known {
        Addresses addresses;
        std::uint64_t until_ns = 0;
    };
    struct Version {  // of the configuration
        std::int64_t seconds = 0, nanoseconds = 0;
        std::uint64_t inode = 0;
        bool operator==(const Version&) const = default;
    };

    AresResolver(platform::EventLoop& loop, Options options);
    platform::Result<Channel*> channel();
    Version version_of_config() const;
    void answered(const std::string& name, const Addresses& addresses, std::uint32_t ttl);
    void post(std::function<void()> work);
    void remember(const std::string& name, const Addresses& addresses, std::uint32_t ttl);

    platform::EventLoop& loop_;
    Options options_;
    Version version_;
    std::list<std::unique_ptr<Channel>>
        channels_;  // the last is the one in use; others finish what they have
    std::unordered_map<std::string, std::vector<Done>> waiting_;
    std::unordered_map<std::string, Known> known_;
    std::deque<std::string> known_order_;  // the oldest goes first
    std::shared_ptr<bool> alive_;
};

}  // namespace reeve::egress
