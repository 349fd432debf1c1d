// Telling the service manager how the daemon is (sd_notify(3)). Without $NOTIFY_SOCKET every call does nothing.
#pragma once

#include <string>
#include <string_view>

#include "platform/result.hpp"

namespace reeve::platform {

class ServiceManager {
  public:
    // Takes $NOTIFY_SOCKET out of the environment, so that no child speaks for the daemon.
    static ServiceManager from_environment();

    Status ready(std::string_view status) const;
    Status reloading() const;
    Status stopping() const;

  private:
    Status notify(const std::string& state) const;
    std::string socket_;  // a path, or "@name" in the abstract namespace
};

}  // namespace reeve::platform
