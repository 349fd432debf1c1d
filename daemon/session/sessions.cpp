#include "daemon/session/sessions.hpp"

#include <sys/epoll.h>
#include <time.h>

#include <algorithm>
#include <utility>

#include "daemon/session/agent.hpp"
#include "daemon/session/environment.hpp"
#include "daemon/session/id.hpp"
#include "daemon/session/state.hpp"

namespace reeve::session {

namespace confine = platform::confine;
using platform::error;
using platform::Result;
using platform::Status;

namespace {

std::int64_t now_seconds() {
    timespec now{};
    ::clock_gettime(CLOCK_REALTIME, &now);
    return now.tv_sec;
}

// The document of --policy; nothing where there is none.
Result<std::optional<policy::Document>> run_document(const Start& start) {
    if (start.policy_text.empty() && start.policy_name.empty()) return std::optional<policy::Document>();
    auto document = policy::parse_document(start.policy_text, start.policy_name);
    if (!document)
        return error("use the policy", start.policy_name, policy::to_string(document.error()),
                     "reeve policy check shows the same");
    return std::optional<policy::Document>(std::move(*document));
}

Status check_settings(const policy::Policy& policy, const Planned& planned) {
    const policy::Settings& settings = policy.settings();
    if (settings.expires && *settings.expires <= now_seconds())
        return error("start a session", "", "the policy has expired", "install a newer version of it");
    if (settings.mode == policy::Mode::observe)
        return error("start a session", "", "the policy says observe, and this version can only enforce",
                     "set \"mode\" to \"enforce\"");
    const std::string widened = widening(planned.gaps);
    if (!widened.empty() && settings.unenforceable == policy::Unenforceable::refuse)
        return error("start a session", "", "parts of the policy cannot be enforced yet:\n" + widened,
                     "take them out, or say \"unenforceable\": \"degrade\" to start without them");
    return {};
}

// The workspace must be the person's own; which ones the policy allows is policy::check_workspace's.
Status check_owner(const Directory& workspace, const Person& person) {
    if (workspace.owner == person.ids.uid) return {};
    return error("use the workspace", workspace.path, "it does not belong to " + person.ids.name,
                 "use a directory of theirs: reeve run --workspace DIR");
}

}  // namespace

Sessions::Sessions(platform::EventLoop& loop, confine::Spawner& spawner, Recorder& recorder)
    : loop_(loop), spawner_(spawner), recorder_(recorder) {}

Sessions::~Sessions() = default;

Status Sessions::watch() {
    return loop_.watch(spawner_.stopped_fd(), EPOLLIN, [this](std::uint32_t events) {
        if ((events & EPOLLHUP) != 0)
            loop_.forget(spawner_.stopped_fd());  // reeve-spawner is gone: the next start says so
        for (const pid_t pid : spawner_.stopped())
            for (auto& [id, entry] : sessions_) entry.session->process_stopped(pid);
    });
}

Result<Decided> Sessions::decide(const Start& start) {
    const Directory& workspace = start.workspace ? *start.workspace : start.working_directory;
    if (auto s = check_owner(workspace, start.person); !s) return std::unexpected(s.error());
    auto id = new_id();
    auto trace = new_trace_id();
    if (!id || !trace) return std::unexpected(id ? trace.error() : id.error());
    auto document = run_document(start);
    if (!document) return std::unexpected(document.error());

    const policy::Variables variables{.home = start.person.home,
                                      .workspace = workspace.path,
                                      .user = start.person.ids.name,
                                      .session = *id,
                                      .tmp = "/tmp"};
    const auto layers = policies_->with(*document);
    const Asked asked{
        .agent = start.agent,
        .command = start.command,
        .search_path = value_of(session_environment(start.environment, {}, start.person, *id), "PATH"),
        .working_directory = start.working_directory.path};
    auto agent = find_agent(layers, variables, policies_->directory(), asked);
    if (!agent) return std::unexpected(agent.error());
    if (auto allowed = policy::check_workspace(layers, variables, agent->id, workspace.path); !allowed)
        return error("use the workspace", workspace.path, allowed.error(),
                     "reeve run --workspace DIR names another");
    auto compiled = policies_->compile(variables, agent->id, *document, start.policy_text);
    if (!compiled) return std::unexpected(compiled.error());
    const policy::Policy& policy = *compiled->policy;
    auto planned = plan_of(*compiled->zones, compiled->means, start.person);
    if (!planned) return std::unexpected(planned.error());
    if (auto s = check_settings(policy, *planned); !s) return std::unexpected(s.error());
    return Decided{.facts = {.session = std::move(*id),
                             .trace_id = std::move(*trace),
                             .uid = start.person.ids.uid,
                             .user = start.person.ids.name,
                             .agent = agent->id,
                             .agent_sha256 = agent->sha256,
                             .trust = agent->trust,
                             .policy = std::string(policy.policy_id()),
                             .workspace = workspace.path,
                             .command = start.command,
                             .started = now_seconds(),
                             .note = std::move(agent->note)},
                   .policy = compiled->policy,
                   .table = compiled->table,
                   .network = compiled->network,
                   .planned = std::move(*planned)};
}

// What is missing of the agent's state is made, and then all is decided anew, since it can be mounted now. A home in which
// nothing can be made starts the agent without; the person is told.
Result<Decided> Sessions::with_state(const Start& start, Decided decided) {
    std::vector<std::string> made;
    std::string problems;
    for (const std::string& path : decided.planned.absent_states)
        if (auto s = make_state(start.person, path, made); !s) problems += "; " + s.error().text();
    for (const std::string& path : made) recorder_.made_state(decided.facts, path);
    auto result = made.empty() ? Result<Decided>(std::move(decided)) : decide(start);
    if (!result || problems.empty()) return result;
    std::string& note = result->facts.note;
    note += problems.substr(note.empty() ? 2 : 0);
    return result;
}

Result<confine::Plan> Sessions::plan_for(const Start& start, Decided& decided) const {
    const policy::Settings& settings = decided.policy->settings();
    confine::Plan plan;
    plan.session = decided.facts.session;
    plan.person = start.person.ids;
    plan.zones = decided.planned.zones;
    plan.private_directories = decided.planned.private_directories;
    plan.veiled = decided.planned.veiled;
    plan.trap_reads = decided.planned.means.keeper_reads;
    plan.masks = decided.planned.masks;
    plan.links = decided.planned.links;
    plan.command = start.command;
    auto pass = settings.environment;
    pass.insert(pass.end(), start.pass_environment.begin(), start.pass_environment.end());
    plan.environment = session_environment(start.environment, pass, start.person, plan.session);
    plan.terminal = start.terminal;
    plan.limits = {.memory = settings.limits.memory.value_or(0),
                   .processes = settings.limits.processes.value_or(0)};
    plan.report_steps = start.report_steps;
    // Where the person stands, if that is somewhere inside; else the workspace that they named.
    const std::string& wanted = start.working_directory.path;
    const bool inside =
        std::ranges::any_of(plan.zones, [&](const auto& zone) { return is_within(wanted, zone.path); });
    if (!inside && !start.workspace)
        return error("start in", wanted, "the policy lets a session see nothing of it",
                     "reeve run --workspace DIR names a directory");
    plan.working_directory = inside ? wanted : start.workspace->path;
    return plan;
}

Result<Session*> Sessions::start(Start start, Listener listener) {
    if (sessions_.size() >= kMostSessions)
        return error("start a session", "", "there are " + std::to_string(kMostSessions) + " already",
                     "end some: reeve stop");
    auto decided = decide(start);
    if (decided) decided = with_state(start, std::move(*decided));
    if (!decided) return std::unexpected(decided.error());
    auto plan = plan_for(start, *decided);
    if (!plan) return std::unexpected(plan.error());

    auto cgroup = platform::Cgroup::create(plan->session);
    if (!cgroup) return std::unexpected(cgroup.error());
    const auto undo = [&](const platform::Error& failed) {
        (void)cgroup->remove(0);
        return std::unexpected(failed);
    };
    if (auto s = cgroup->limit(plan->limits.memory, plan->limits.processes); !s) return undo(s.error());
    auto directory = cgroup->directory();
    auto limit_groups = cgroup->limit_groups();
    if (!directory || !limit_groups) return undo(directory ? limit_groups.error() : directory.error());

    auto watch = recorder_.begin(decided->facts, plan->zones);
    if (!watch) return undo(watch.error());
    confine::StartFds fds;
    for (int i = 0; i < 3; ++i) fds.streams[i] = std::move(start.streams[i]);
    fds.watch = std::move(watch->by_handle);
    fds.watch_by_fd = std::move(watch->by_descriptor);
    fds.cgroup = std::move(*directory);
    fds.limit_groups = std::move(*limit_groups);
    const auto undo_all = [&](const platform::Error& failed) {
        recorder_.end(decided->facts, {.started = false, .failure = failed.text(), .status = 0});
        return undo(failed);
    };
    auto companions = Companions::start(loop_, spawner_, recorder_,
                                        {.session = plan->session,
                                         .person = plan->person,
                                         .planned = decided->planned,
                                         .home = start.person.home,
                                         .table = decided->table,
                                         .policy = *decided->policy,
                                         .network = decided->network,
                                         .egress_user = egress_user_ ? &*egress_user_ : nullptr},
                                        fds);
    if (!companions) return undo_all(companions.error());
    if (const std::string& why = (*companions)->no_way_out(); !why.empty()) {
        std::string& note = decided->facts.note;
        note += (note.empty() ? "" : "; ") + ("the session has no network: " + why);
    }
    auto child = spawner_.start(*plan, std::move(fds));
    if (!child) return undo_all(child.error());

    const std::string id = plan->session;
    Entry& entry = sessions_[id];
    entry.policy = decided->policy;
    entry.held = session::held_of(decided->planned);
    entry.session = std::make_unique<Session>(Session::Parts{.facts = std::move(decided->facts),
                                                             .cgroup = std::move(*cgroup),
                                                             .child = std::move(*child),
                                                             .companions = std::move(*companions),
                                                             .recorder = recorder_,
                                                             .loop = loop_,
                                                             .gone = [this, id] { sessions_.erase(id); }},
                                              std::move(listener));
    if (auto s = entry.session->watch(); !s) entry.session->end(s.error().text());
    return entry.session.get();
}

Session* Sessions::find(const std::string& id) {
    const auto found = sessions_.find(id);
    return found == sessions_.end() ? nullptr : found->second.session.get();
}

std::shared_ptr<const policy::Policy> Sessions::policy_of(const std::string& id) const {
    const auto found = sessions_.find(id);
    return found == sessions_.end() ? nullptr : found->second.policy;
}

const Held* Sessions::held_of(const std::string& id) const {
    const auto found = sessions_.find(id);
    return found == sessions_.end() ? nullptr : &found->second.held;
}

std::vector<Session*> Sessions::all() {
    std::vector<Session*> all;
    for (auto& [id, entry] : sessions_) all.push_back(entry.session.get());
    return all;
}

Session* Sessions::of_cgroup(const std::string& cgroup) {
    for (auto& [id, entry] : sessions_)
        if (entry.session->cgroup().contains(cgroup)) return entry.session.get();
    return nullptr;
}

}  // namespace reeve::session
