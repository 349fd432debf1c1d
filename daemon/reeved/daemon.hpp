// The composition root: makes the parts, puts them together, and runs the loop.
#pragma once

#include <memory>

#include "daemon/reeved/settings.hpp"
#include "platform/linux/confine/spawner.hpp"
#include "platform/linux/service_manager.hpp"

namespace reeve::daemon {

class Daemon {
  public:
    // Before the process has a second thread, since the spawner forks.
    static platform::Result<std::unique_ptr<Daemon>> create(Settings settings,
                                                            platform::ServiceManager manager);
    ~Daemon();
    Daemon(const Daemon&) = delete;
    Daemon& operator=(const Daemon&) = delete;

    // Until SIGTERM or SIGINT: then all sessions are ended first. SIGHUP reads the policies again.
    platform::Status run();

  private:
    struct Parts;
    explicit Daemon(std::unique_ptr<Parts> parts);
    std::unique_ptr<Parts> parts_;
};

}  // namespace reeve::daemon
