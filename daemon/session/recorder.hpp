// What a session tells the log, as the sessions see it. The log and the watch are behind it.
#pragma once

#include <string>
#include <vector>

#include "platform/confine.hpp"
#include "platform/fd.hpp"
#include "platform/result.hpp"

namespace reeve::session {

// Everything about one session that its records, `ps` and an attestation say.
struct Facts {
    std::string session, trace_id;
    uid_t uid = 0;
    std::string user, agent, agent_sha256, trust;
    std::string policy;  // "acme-desktop@12"
    std::string workspace;
    std::vector<std::string> command;
    std::int64_t started = 0;  // wall clock seconds
    std::string note;          // for the person, when it starts; may be empty
};

struct End {
    bool started = true;  // false: a step failed, and nothing ran
    std::string failure;  // why it did not start, or why it was ended; empty: the command ended by itself
    int status = 0;       // as waitpid() gives it
};

class Recorder {
  public:
    virtual ~Recorder() = default;

    // A directory of the agent's state was made for a session that is about to start: state.hpp.
    virtual void made_state(const Facts& facts, const std::string& path) = 0;

    struct Watch {
        platform::Fd by_handle, by_descriptor;  // groups for StartFds
    };
    // Writes session.start, and watches from then on. An Error starts nothing: what cannot be recorded does not run.
    virtual platform::Result<Watch> begin(const Facts& facts,
                                          const std::vector<platform::confine::Zone>& zones) = 0;
    // A private directory that is logged.
    virtual platform::Status mounted(const std::string& session, platform::confine::Mounted mounted) = 0;
    // What a companion of the session reports (daemon/access/report.hpp, daemon/egress/report.hpp), over the daemon's end of its control socket.
    // To end: shut the sending side of another copy down, wait until the companion is gone, and call end().
    struct Reporting {
        std::string name;  // "reeve-keeper"
        platform::Fd control;
        pid_t pid = 0;         // its thread group
        bool network = false;  // reports of daemon/egress/report.hpp
    };
    virtual platform::Status reports(const std::string& session, Reporting companion) = 0;
    // All that happened is in the log when it returns, and session.end behind it.
    virtual void end(const Facts& facts, const End& end) = 0;
};

}  // namespace reeve::session
