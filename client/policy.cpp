// reeve policy check, test: offline. reeve policy show, explain: as the daemon would decide.
#include <CLI/App.hpp>
#include <CLI/Config.hpp>
#include <CLI/Formatter.hpp>
#include <filesystem>
#include <iostream>
#include <memory>

#include "client/command.hpp"
#include "client/table.hpp"
#include "daemon/api/policy_tools.hpp"
#include "daemon/api/render_record.hpp"

namespace reeve::client {
namespace {

using api::Json;
using api::terminal_safe;

Json json_of(const api::PolicyProblem& problem) {
    return {{"severity", problem.warning ? "warning" : "error"},
            {"file", problem.file},
            {"line", problem.line},
            {"column", problem.column},
            {"message", problem.message},
            {"hint", problem.hint}};
}

void say_problems(const std::vector<api::PolicyProblem>& problems) {
    for (const auto& problem : problems) std::cerr << terminal_safe(problem.text) << '\n';
}

int check(const std::vector<std::string>& files, const std::string& vendor, bool json) {
    bool ok = true;
    for (const api::PolicyFile& file : api::check_policies(files, vendor)) {
        ok = ok && file.ok();
        if (json) {
            Json problems = Json::array(), agents = Json::array();
            for (const auto& problem : file.problems) problems.push_back(json_of(problem));
            for (const auto& agent : file.agents)
                agents.push_back({{"agent", agent.agent}, {"states", agent.states}, {"bytes", agent.bytes}});
            print_json({{"file", file.file},
                        {"ok", file.ok()},
                        {"id", file.id},
                        {"version", file.version},
                        {"agents", agents},
                        {"problems", problems}});
            continue;
        }
        say_problems(file.problems);
        if (!file.ok()) continue;
        std::size_t states = 0;
        for (const auto& agent : file.agents) states = std::max<std::size_t>(states, agent.states);
        std::cout << terminal_safe(file.file + ": in order, " + file.id + "@" + std::to_string(file.version) +
                                   ", compiled for " + std::to_string(file.agents.size()) +
                                   " agents, at most " + std::to_string(states) + " states")
                  << '\n';
    }
    return finish_output(ok ? kYes : kNo);
}

std::string line_of(const api::PolicyAccess& access, const std::string& file) {
    const std::string what = access.action + " " + access.resource;
    const std::string by = access.rule.empty() ? "by default" : "by " + access.rule;
    if (access.passed) return "ok      " + what + ": " + access.actual + ", " + by;
    std::string line = "FAILED  " + what + ": expected " + access.expected;
    if (!access.expected_rule.empty()) line += " by " + access.expected_rule;
    line += ", is " + access.actual + " " + by;
    if (!access.reason.empty()) line += " (" + access.reason + ")";
    return line + "; " + file + ":" + std::to_string(access.line);
}

int test(const std::string& file, bool json) {
    const api::PolicyTest result = api::test_policy(file);
    say_problems(result.problems);
    std::size_t failed = 0;
    for (const api::PolicyAccess& access : result.accesses) {
        failed += access.passed ? 0 : 1;
        if (json)
            print_json({{"passed", access.passed},
                        {"action", access.action},
                        {"resource", access.resource},
                        {"expected", access.expected},
                        {"expected_rule", access.expected_rule},
                        {"actual", access.actual},
                        {"rule", access.rule},
                        {"reason", access.reason},
                        {"line", access.line}});
        else
            std::cout << terminal_safe(line_of(access, file)) << '\n';
    }
    if (!json && result.problems.empty())
        std::cout << result.accesses.size() - failed << " passed, " << failed << " failed\n";
    return finish_output(result.ok() ? kYes : kNo);
}

// --- what the daemon decides

struct Whose {
    std::string workspace, agent, session;
};

// The workspace, where none was named, is the folder that one stands in.
std::expected<Json, api::CallError> ask_about(Json request, const Whose& whose) {
    if (!whose.agent.empty()) request["agent"] = whose.agent;
    if (!whose.session.empty()) {
        request["session"] = whose.session;
        return ask(request);
    }
    const std::string named = whose.workspace.empty() ? "." : whose.workspace;
    std::error_code failed;
    const auto folder = std::filesystem::canonical(named, failed);
    if (failed)
        return std::unexpected(api::CallError{platform::Error{.tried = "use the workspace",
                                                              .on = named,
                                                              .why = failed.message(),
                                                              .todo = "name a folder that exists"}});
    request["workspace"] = folder.string();
    return ask(request);
}

// A path as policy sees it: resolved as far as it exists. HOST:PORT stays as it is.
std::string resource_of(const std::string& action, const std::string& resource) {
    if (action == "connect" || resource.empty()) return resource;
    std::error_code failed;
    auto path = std::filesystem::weakly_canonical(std::filesystem::absolute(resource, failed), failed);
    if (failed) return resource;
    std::string text = path.string();
    while (text.size() > 1 && text.back() == '/') text.pop_back();
    return text;
}

// "enforced by the keeper: each change in its tree is decided by the keeper"
std::string enforcement_line(const Json& enforced) {
    const std::string by = text_of(enforced, "by"), reason = text_of(enforced, "reason");
    return (by == "nothing" ? "not enforced: " : "enforced by the " + by + ": ") + reason;
}

int explain(const Whose& whose, const std::string& action, const std::string& given, bool json) {
    const std::string resource = resource_of(action, given);
    const auto answer = ask_about({{"call", "explain"}, {"action", action}, {"resource", resource}}, whose);
    if (!answer) return complain(answer.error());
    const std::string verdict = text_of(*answer, "verdict");
    if (json) {
        Json shown = *answer;
        shown["action"] = action;
        shown["resource"] = resource;
        print_json(shown);
        return finish_output(verdict == "deny" ? kNo : kYes);
    }
    std::string first = verdict + ": " + action + " " + resource;
    const std::string rule = text_of(*answer, "rule"), reason = text_of(*answer, "reason");
    first += rule.empty() ? "\nno rule says so, the default does" : "\nby " + rule;
    if (!reason.empty()) first += ": " + reason;
    if (const std::string label = text_of(*answer, "label"); !label.empty()) first += " [" + label + "]";
    const auto split = first.find('\n');
    std::cout << terminal_safe(first.substr(0, split)) << '\n'
              << terminal_safe(first.substr(split + 1)) << '\n';
    if (const auto enforced = answer->find("enforced"); enforced != answer->end())
        std::cout << terminal_safe(enforcement_line(*enforced)) << '\n';

    Table table({"LAYER", "SAYS", "RULE", "RULE SAYS", "WHERE", "REASON"});
    for (const Json& layer : list_of(*answer, "layers")) {
        const auto base = layer.find("base");
        std::string name = text_of(layer, "authority");
        if (base != layer.end() && base->is_boolean() && base->get<bool>()) name += " (base)";
        std::string says = text_of(layer, "verdict");
        if (says.empty()) says = "nothing";
        if (list_of(layer, "rules").empty()) table.add({name, says, "no rule matches", "", "", ""});
        for (const Json& one : list_of(layer, "rules")) {
            table.add({name, says, text_of(one, "rule"), text_of(one, "verdict"),
                       text_of(one, "file") + ":" + text_of(one, "line"), text_of(one, "reason")});
            name.clear();
            says.clear();
        }
    }
    if (!table.empty()) std::cout << '\n' << table.text();
    return finish_output(verdict == "deny" ? kNo : kYes);
}

bool flag(const Json& object, const char* name) {
    const auto found = object.find(name);
    return found != object.end() && found->is_boolean() && found->get<bool>();
}

std::string words(const Json& list) {
    std::string text;
    for (const Json& word : list)
        if (word.is_string()) text += (text.empty() ? "" : " ") + word.get<std::string>();
    return text;
}

void show_lists(const Json& policy) {
    Table layers({"LAYER", "DOCUMENT", "FILE"}), zones({"ZONE", "MAY", "LOGGED", "RULE"});
    Table masks({"DENIED INSIDE", "RULE"}), rest({"NOT ENFORCED HERE", "RULE", "WHY"});
    for (const Json& layer : list_of(policy, "layers"))
        layers.add({text_of(layer, "authority"), text_of(layer, "id") + "@" + text_of(layer, "version"),
                    text_of(layer, "file")});
    for (const Json& zone : list_of(policy, "zones"))
        zones.add({text_of(zone, "path"),
                   std::string("read") + (flag(zone, "writable") ? " write" : "") +
                       (flag(zone, "executable") ? " execute" : ""),
                   words(list_of(zone, "log")), text_of(zone, "rule")});
    for (const Json& mask : list_of(policy, "masks"))
        masks.add({text_of(mask, "path"), text_of(mask, "rule")});
    for (const Json& one : list_of(policy, "unenforced"))
        rest.add(
            {text_of(one, "pattern"), text_of(one, "rule"),
             text_of(one, "reason") + (flag(one, "widens") ? " (so more is open than the rule says)" : "")});
    for (const Table* table : {&layers, &zones, &masks, &rest})
        if (!table->empty()) std::cout << '\n' << table->text();
}

int show(const Whose& whose, bool json) {
    const auto answer = ask_about({{"call", "policy"}}, whose);
    if (!answer) return complain(answer.error());
    if (json) {
        print_json(*answer);
        return finish_output(kYes);
    }
    std::cout << terminal_safe("policy " + text_of(*answer, "policy") + ", agent " +
                               text_of(*answer, "agent") + ", workspace " + text_of(*answer, "workspace") +
                               ", " + text_of(*answer, "states") + " states in " +
                               text_of(*answer, "table_bytes") + " bytes")
              << '\n';
    show_lists(*answer);
    for (const Json& warning : list_of(*answer, "warnings"))
        if (warning.is_string()) std::cerr << terminal_safe(warning.get<std::string>()) << '\n';
    return finish_output(kYes);
}

struct PolicyOptions {
    std::vector<std::string> files;
    std::string file, vendor = api::kVendorPolicy, action, resource;
    Whose whose;
    bool json = false;
};
using Options = std::shared_ptr<PolicyOptions>;

void add_whose(CLI::App& command, const Options& options, bool session) {
    command.add_option("--workspace", options->whose.workspace, "as if started there (here if not given)")
        ->type_name("DIR");
    command.add_option("--agent", options->whose.agent, "as this agent")->type_name("ID");
    if (session)
        command
            .add_option("--session", options->whose.session, "by the policy that this session started with")
            ->type_name("SESSION");
    command.add_flag("--json", options->json, "as JSON");
}

void add_offline(CLI::App& policy, const Options& options, Invocation& invocation) {
    CLI::App* checks = policy.add_subcommand("check", "whether policy files are in order; needs no daemon");
    checks->add_option("files", options->files, "policy documents")->type_name("FILE")->required();
    checks->add_option("--vendor", options->vendor, "the document that \"extends\": [\"vendor\"] means")
        ->type_name("FILE");
    checks->add_flag("--json", options->json, "one JSON object a line for each file");
    checks->footer("EXAMPLES\n  reeve policy check /etc/reeve/policy.d/*.json");
    checks->callback([options, &invocation] {
        invocation.action = [options] { return check(options->files, options->vendor, options->json); };
    });

    CLI::App* tests =
        policy.add_subcommand("test", "whether a policy decides as a test file expects; needs no daemon");
    tests->add_option("file", options->file, "accesses and what is expected (reeve.policy-test/1)")
        ->type_name("FILE")
        ->required();
    tests->add_flag("--json", options->json, "one JSON object a line for each access");
    tests->footer("EXAMPLES\n  reeve policy test acme.test.json");
    tests->callback([options, &invocation] {
        invocation.action = [options] { return test(options->file, options->json); };
    });
}

}  // namespace

void add_policy(CLI::App& app, Invocation& invocation) {
    CLI::App* policy = app.add_subcommand("policy", "what is allowed, and why");
    policy->require_subcommand(0, 1);
    auto options = std::make_shared<PolicyOptions>();
    add_offline(*policy, options, invocation);

    CLI::App* explains =
        policy->add_subcommand("explain", "how one access would be decided, and by which rules");
    explains
        ->add_option("action", options->action,
                     "list, read, write, create, delete, rename, link, execute, attributes; or connect")
        ->type_name("ACTION")
        ->required();
    explains->add_option("resource", options->resource, "a path; HOST:PORT for connect")
        ->type_name("RESOURCE")
        ->required();
    add_whose(*explains, options, true);
    explains->footer(
        "EXAMPLES\n"
        "  reeve policy explain read ~/.ssh/id_ed25519\n"
        "  reeve policy explain --agent claude connect api.anthropic.com:443\n"
        "Gives 1 where it is denied.");
    explains->callback([options, &invocation] {
        invocation.action = [options] {
            return explain(options->whose, options->action, options->resource, options->json);
        };
    });

    CLI::App* shows = policy->add_subcommand("show", "the policy that a session started here would have");
    add_whose(*shows, options, false);
    shows->footer("EXAMPLES\n  reeve policy show --agent claude");
    shows->callback([options, &invocation] {
        invocation.action = [options] { return show(options->whose, options->json); };
    });
}

}  // namespace reeve::client
