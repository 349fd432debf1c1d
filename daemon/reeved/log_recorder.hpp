// Sessions' records: their start and end, and the watch on their mounts.
#pragma once

#include <map>
#include <memory>
#include <string>

#include "daemon/audit/watcher.hpp"
#include "daemon/session/recorder.hpp"

namespace reeve::daemon {

class LogRecorder final : public session::Recorder {
  public:
    // Both outlive it. `device_id` and `user_domain` as Settings has them.
    LogRecorder(audit::Log& log, audit::Watcher& watcher, std::string device_id, std::string user_domain);

    void made_state(const session::Facts& facts, const std::string& path) override;
    platform::Result<Watch> begin(const session::Facts& facts,
                                  const std::vector<platform::confine::Zone>& zones) override;
    platform::Status mounted(const std::string& session, platform::confine::Mounted mounted) override;
    platform::Status reports(const std::string& session, Reporting companion) override;
    void end(const session::Facts& facts, const session::End& end) override;

  private:
    std::shared_ptr<const audit::SessionContext> context_of(const session::Facts& facts) const;

    audit::Log& log_;
    audit::Watcher& watcher_;
    std::string device_id_, user_domain_;
    std::map<std::string, std::shared_ptr<const audit::SessionContext>> contexts_;
};

}  // namespace reeve::daemon
