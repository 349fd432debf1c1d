// All sessions of this daemon: who may start what, and where they are.
//
// All calls are for the event loop's thread.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "daemon/session/directory.hpp"
#include "daemon/session/enforcement.hpp"
#include "daemon/session/person.hpp"
#include "daemon/session/plan.hpp"
#include "daemon/session/policies.hpp"
#include "daemon/session/session.hpp"

namespace reeve::session {

inline constexpr std::size_t kMostSessions = 256;

// What somebody wants to be started. Whose it is was settled by the caller, nothing else was.
struct Start {
    Person person;
    std::vector<std::string> command;
    std::vector<std::string> environment;  // theirs, all of it
    std::vector<std::string> pass_environment;
    std::string agent;  // of --agent; may be empty
    Directory working_directory;
    std::optional<Directory> workspace;    // none: the working directory
    std::string policy_text, policy_name;  // of --policy; may be empty
    platform::confine::Terminal terminal;
    platform::Fd streams[3];
    bool report_steps = false;
};

// What a session would be: for `run`, `policy show` and `explain`.
struct Decided {
    Facts facts;
    std::shared_ptr<const policy::Policy> policy;
    std::shared_ptr<const platform::Fd> table;   // Compiled::table
    std::shared_ptr<const std::string> network;  // Compiled::network
    Planned planned;
};

class Sessions {
  public:
    // All outlive it.
    Sessions(platform::EventLoop& loop, platform::confine::Spawner& spawner, Recorder& recorder);
    ~Sessions();

    void use(std::shared_ptr<Policies> policies) { policies_ = std::move(policies); }
    const std::shared_ptr<Policies>& policies() const { return policies_; }
    // Whose process reeve-egress is. Without one, sessions have no way out.
    void use_egress(platform::confine::Person user) { egress_user_ = std::move(user); }

    // Everything that is decided about a start, without starting it. `start.streams` are not looked at.
    platform::Result<Decided> decide(const Start& start);
    // Watches over processes of sessions that are stopped; once, before the first start.
    platform::Status watch();
    // The session lives until its listener was told of its end.
    platform::Result<Session*> start(Start start, Listener listener);

    Session* find(const std::string& id);
    // The policy that a running session was started with.
    std::shared_ptr<const policy::Policy> policy_of(const std::string& id) const;
    // And with what it is held to it; null for none of that id.
    const Held* held_of(const std::string& id) const;
    std::vector<Session*> all();
    // The session that a process belongs to, by its cgroup ("/reeve/..."); null for none.
    Session* of_cgroup(const std::string& cgroup);
    bool empty() const { return sessions_.empty(); }

  private:
    struct Entry {
        std::unique_ptr<Session> session;
        std::shared_ptr<const policy::Policy> policy;
        Held held;
    };
    platform::Result<Decided> with_state(const Start& start, Decided decided);
    platform::Result<platform::confine::Plan> plan_for(const Start& start, Decided& decided) const;

    platform::EventLoop& loop_;
    platform::confine::Spawner& spawner_;
    Recorder& recorder_;
    std::shared_ptr<Policies> policies_;
    std::optional<platform::confine::Person> egress_user_;
    std::map<std::string, Entry> sessions_;
};

}  // namespace reeve::session
