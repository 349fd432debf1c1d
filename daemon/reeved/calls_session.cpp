// ps, stop, policy, explain.
#include <fcntl.h>
#include <time.h>
#include <unistd.h>

#include "daemon/reeved/services.hpp"

namespace reeve::daemon {
namespace {

using platform::error;
using platform::Result;
using session::Session;

std::string rfc3339(std::int64_t seconds) {
    const time_t time = seconds;
    tm parts{};
    char text[32];
    ::gmtime_r(&time, &parts);
    return {text, std::strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%SZ", &parts)};
}

const char* word(Session::State state) {
    switch (state) {
        case Session::State::kStarting:
        case Session::State::kRunning:
            return "running";
        case Session::State::kStopped:
            return "stopped";
        case Session::State::kFinished:
        case Session::State::kEnding:
            break;
    }
    return "ending";
}

const char* word(policy::DecidedBy by) {
    return by == policy::DecidedBy::rule ? "rule" : "default";
}

Result<session::Decided> decide(Services& services, Result<session::Person> person,
                                const std::string& workspace, const std::string& agent) {
    if (!person) return std::unexpected(person.error());
    const std::string path = workspace.empty() ? person->home : workspace;
    const platform::Fd fd(::open(path.c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW));
    // One answer for what is not there and what is another's: a caller learns nothing of places that it cannot see.
    auto directory =
        fd ? session::directory_of(fd, "the workspace") : Result<session::Directory>(std::unexpect);
    if (!directory || directory->owner != person->ids.uid)
        return error("use the workspace", path, "it is not a directory of " + person->ids.name,
                     "name one of yours");
    return services.sessions.decide({.person = std::move(*person),
                                     .command = {"true"},
                                     .agent = agent.empty() ? std::string(policy::kUnverified) : agent,
                                     .working_directory = std::move(*directory)});
}

// The caller's policy for a workspace: what a session started there would have. Hands it to `take`, or the client the error.
void decide_for(Services& services, const Client& client, const std::string& workspace,
                const std::string& agent, std::function<void(const Client&, const session::Decided&)> take) {
    if (client->peer().is_root())
        return client->fail(
            error("decide for", "root", "uid 0 is not a person", "name a --session, or ask as the person"));
    services.people.find(client->peer().uid, [&services, weak = std::weak_ptr(client), workspace, agent,
                                              take = std::move(take)](auto person) {
        const auto caller = weak.lock();
        if (!caller) return;
        const auto decided = decide(services, std::move(person), workspace, agent);
        decided ? take(caller, *decided) : caller->fail(decided.error());
    });
}

api::Json log_words(unsigned log) {
    api::Json words = api::Json::array();
    if ((log & policy::kLogOpens) != 0) words.push_back("opens");
    if ((log & policy::kLogChanges) != 0) words.push_back("changes");
    if ((log & policy::kLogWrites) != 0) words.push_back("writes");
    if ((log & policy::kLogExecutions) != 0) words.push_back("executions");
    return words;
}

api::Json policy_json(const session::Policies& policies, const session::Decided& decided) {
    api::Json layers = api::Json::array(), zones = api::Json::array(), gaps = api::Json::array(),
              masks = api::Json::array(), warnings = api::Json::array();
    for (const auto& file : policies.files())
        layers.push_back({{"authority", policy::name_of(file.authority)},
                          {"id", file.id},
                          {"version", file.version},
                          {"file", file.path}});
    for (const auto& zone : decided.planned.zones)
        zones.push_back({{"path", zone.path},
                         {"writable", zone.writable},
                         {"executable", zone.executable},
                         {"log", log_words(zone.log)},
                         {"rule", decided.planned.rules.at(zone.path)}});
    for (const auto& path : decided.planned.masks)
        masks.push_back({{"path", path}, {"rule", decided.planned.rules.at(path)}});
    for (const auto& gap : decided.planned.gaps)
        gaps.push_back(
            {{"rule", gap.rule}, {"pattern", gap.pattern}, {"reason", gap.reason}, {"widens", gap.widens}});
    for (const auto& warning : decided.policy->warnings()) warnings.push_back(policy::to_string(warning));
    return {{"policy", decided.facts.policy},
            {"agent", decided.facts.agent},
            {"workspace", decided.facts.workspace},
            {"states", decided.policy->table().states()},
            {"table_bytes", decided.policy->table_bytes().size()},
            {"layers", std::move(layers)},
            {"zones", std::move(zones)},
            {"masks", std::move(masks)},
            {"unenforced", std::move(gaps)},
            {"warnings", std::move(warnings)}};
}

void add(api::Json& object, const char* name, std::string_view text) {
    if (!text.empty()) object[name] = text;
}

api::Json explain_path(const policy::Policy& policy, const std::string& path, policy::FileAction action) {
    const policy::Explanation explanation = policy.explain(path, action);
    api::Json layers = api::Json::array();
    for (const auto& layer : explanation.layers) {
        api::Json rules = api::Json::array();
        for (const auto& candidate : layer.rules) {
            api::Json rule{{"rule", candidate.rule},
                           {"verdict", policy::name_of(candidate.verdict)},
                           {"file", candidate.file},
                           {"line", candidate.line}};
            add(rule, "reason", candidate.reason);
            rules.push_back(std::move(rule));
        }
        api::Json entry{{"authority", policy::name_of(layer.authority)},
                        {"base", layer.base},
                        {"rules", std::move(rules)}};
        if (layer.verdict) entry["verdict"] = policy::name_of(*layer.verdict);
        layers.push_back(std::move(entry));
    }
    const policy::Decision& decision = explanation.decision;
    api::Json result{{"verdict", policy::name_of(decision.verdict)},
                     {"decided_by", word(decision.decided_by)},
                     {"layers", std::move(layers)}};
    add(result, "rule", decision.rule);
    add(result, "reason", decision.reason);
    add(result, "label", decision.label);
    return result;
}

// "pypi.org:443"; without a port, 443.
Result<api::Json> explain_host(const policy::Policy& policy, const std::string& resource) {
    const std::size_t colon = resource.rfind(':');
    const bool bare = colon == std::string::npos || resource.find(':') != colon;  // an IPv6 literal has more
    int port = 443;
    if (!bare) {
        const std::string digits = resource.substr(colon + 1);
        if (digits.empty() || digits.size() > 5 ||
            digits.find_first_not_of("0123456789") != std::string::npos || std::stoi(digits) > 65535)
            return error("explain", resource, "\"" + digits + "\" is no port", "write HOST:PORT");
        port = std::stoi(digits);
    }
    const auto decision =
        policy.decide_host(bare ? resource : resource.substr(0, colon), static_cast<std::uint16_t>(port));
    api::Json result{{"verdict", policy::name_of(decision.verdict)},
                     {"decided_by", decision.by_rule ? "rule" : "default"},
                     {"layers", api::Json::array()}};
    add(result, "rule", decision.rule);
    add(result, "reason", decision.reason);
    return result;
}

void explain(const Client& client, const policy::Policy& policy, const session::Held& held,
             const std::string& action, const std::string& resource) {
    if (action == "connect") {
        auto result = explain_host(policy, resource);
        return result ? client->done(std::move(*result)) : client->fail(result.error());
    }
    const auto file_action = policy::file_action(action);
    if (!file_action)
        return client->fail(
            error("explain", action, "there is no such action",
                  "one of list read write create delete rename link execute attributes connect"));
    api::Json result = explain_path(policy, resource, *file_action);
    const session::Enforcement enforced = session::enforcement_of(held, policy, resource, *file_action);
    result["enforced"] = {{"by", enforced.by}, {"reason", enforced.reason}};
    client->done(std::move(result));
}

}  // namespace

void call_ps(Services& services, const Client& client, const api::Json& body) {
    api::Members members(body, "the call ps");
    members.string("call");
    if (auto s = members.finish(); !s) return client->fail(s.error());
    api::Json sessions = api::Json::array();
    for (const Session* session : services.sessions.all()) {
        const session::Facts& facts = session->facts();
        if (!may_act_on(*client, facts.uid)) continue;
        sessions.push_back({{"session", facts.session},
                            {"uid", facts.uid},
                            {"user", facts.user},
                            {"agent", facts.agent},
                            {"trust", facts.trust},
                            {"policy", facts.policy},
                            {"workspace", facts.workspace},
                            {"command", facts.command},
                            {"started", rfc3339(facts.started)},
                            {"pid", session->pid()},
                            {"state", word(session->state())}});
    }
    client->done({{"sessions", std::move(sessions)}});
}

void call_stop(Services& services, const Client& client, const api::Json& body) {
    api::Members members(body, "the call stop");
    members.string("call");
    const std::string id = members.string("session");
    const bool all = members.boolean("all");
    if (auto s = members.finish(); !s) return client->fail(s.error());
    if (all == !id.empty())
        return client->fail(error("stop", id, "name one session, or all", "reeve stop SESSION, or --all"));
    std::vector<Session*> chosen;
    if (all) {
        for (Session* session : services.sessions.all())
            if (may_act_on(*client, session->facts().uid)) chosen.push_back(session);
    } else {
        auto session = session_for(services, client, id);
        if (!session) return client->fail(session.error());
        chosen.push_back(*session);
    }
    api::Json stopped = api::Json::array();
    for (Session* session : chosen) {
        stopped.push_back(session->facts().session);
        session->end("stopped by uid " + std::to_string(client->peer().uid));
    }
    client->done({{"stopped", std::move(stopped)}});
}

void call_policy(Services& services, const Client& client, const api::Json& body) {
    api::Members members(body, "the call policy");
    members.string("call");
    const std::string workspace = members.string("workspace"), agent = members.string("agent");
    if (auto s = members.finish(); !s) return client->fail(s.error());
    decide_for(services, client, workspace, agent,
               [&services](const Client& caller, const session::Decided& decided) {
                   caller->done(policy_json(*services.sessions.policies(), decided));
               });
}

void call_explain(Services& services, const Client& client, const api::Json& body) {
    api::Members members(body, "the call explain");
    members.string("call");
    const std::string session = members.string("session"), workspace = members.string("workspace"),
                      agent = members.string("agent");
    const std::string action = members.required_string("action"),
                      resource = members.required_string("resource");
    if (auto s = members.finish(); !s) return client->fail(s.error());
    if (session.empty())
        return decide_for(services, client, workspace, agent,
                          [action, resource](const Client& caller, const session::Decided& decided) {
                              explain(caller, *decided.policy, session::held_of(decided.planned), action,
                                      resource);
                          });
    auto found = session_for(services, client, session);
    if (!found) return client->fail(found.error());
    explain(client, *services.sessions.policy_of(session), *services.sessions.held_of(session), action,
            resource);
}

}  // namespace reeve::daemon
