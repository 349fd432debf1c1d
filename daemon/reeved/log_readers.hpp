// The call "log": each reader in a thread of its own, since it waits for disks and for its client.
#pragma once

#include <list>
#include <memory>

#include "daemon/audit/log.hpp"
#include "daemon/audit/query.hpp"
#include "daemon/reeved/connection.hpp"

namespace reeve::daemon {

inline constexpr std::size_t kMostReaders = 32;

class LogReaders {
  public:
    // Both outlive it.
    LogReaders(platform::EventLoop& loop, audit::Log& log, platform::Fd directory)
        : loop_(loop), log_(log), directory_(std::move(directory)) {}
    ~LogReaders();  // stops and joins all
    LogReaders(const LogReaders&) = delete;
    LogReaders& operator=(const LogReaders&) = delete;

    // Sends what fits and then the answer; what was done before the question is in it. Loop's thread only.
    void start(const std::shared_ptr<Connection>& connection, audit::Filter filter, bool follow);

  private:
    struct Reader;
    void forget_finished();

    platform::EventLoop& loop_;
    audit::Log& log_;
    platform::Fd directory_;
    std::list<std::shared_ptr<Reader>> readers_;
};

}  // namespace reeve::daemon
