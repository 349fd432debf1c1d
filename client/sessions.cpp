// reeve ps, reeve stop.
#include <unistd.h>

#include <CLI/App.hpp>
#include <CLI/Config.hpp>
#include <CLI/Formatter.hpp>
#include <iostream>
#include <memory>

#include "client/command.hpp"
#include "client/table.hpp"
#include "client/when.hpp"

namespace reeve::client {
namespace {

using api::Json;

std::string command_line(const Json& session) {
    std::string line;
    const auto found = session.find("command");
    if (found == session.end() || !found->is_array()) return line;
    for (const Json& word : *found)
        if (word.is_string()) line += (line.empty() ? "" : " ") + word.get<std::string>();
    return line;
}

int list_sessions(bool json) {
    const auto answer = ask({{"call", "ps"}});
    if (!answer) return complain(answer.error());
    Table table({"SESSION", "USER", "AGENT", "STATE", "STARTED", "PID", "WORKSPACE", "COMMAND"});
    for (const Json& session : list_of(*answer, "sessions")) {
        if (json)
            print_json(session);
        else
            table.add({text_of(session, "session"), text_of(session, "user"), text_of(session, "agent"),
                       text_of(session, "state"), local_time(text_of(session, "started")),
                       text_of(session, "pid"), text_of(session, "workspace"), command_line(session)});
    }
    if (!json && !table.empty()) std::cout << table.text();
    if (!json && table.empty()) std::cerr << "reeve: no session runs\n";
    return finish_output(kYes);
}

int stop_sessions(const std::string& session, bool all, bool json) {
    if (session.empty() == !all) {
        std::cerr << "reeve: name one session (reeve ps lists them), or --all; see reeve stop --help\n";
        return kUsage;
    }
    Json request{{"call", "stop"}};
    if (all) request["all"] = true;
    if (!all) request["session"] = session;
    const auto answer = ask(request);
    if (!answer) return complain(answer.error());
    for (const Json& stopped : list_of(*answer, "stopped")) {
        if (json)
            print_json({{"session", stopped}});
        else if (stopped.is_string())
            std::cout << stopped.get<std::string>() << '\n';
    }
    return finish_output(kYes);
}

}  // namespace

void add_sessions(CLI::App& app, Invocation& invocation) {
    CLI::App* ps = app.add_subcommand("ps", "what runs: your sessions, for root everybody's");
    auto json = std::make_shared<bool>(false);
    ps->add_flag("--json", *json, "one JSON object a line");
    ps->footer("EXAMPLES\n  reeve ps\n  reeve ps --json | jq -r .session");
    ps->callback([json, &invocation] { invocation.action = [json] { return list_sessions(*json); }; });

    struct Stop {
        std::string session;
        bool all = false, json = false;
    };
    auto options = std::make_shared<Stop>();
    CLI::App* stop = app.add_subcommand("stop", "end a session: every process of it is killed");
    stop->add_option("session", options->session, "as reeve ps shows it")->type_name("SESSION");
    stop->add_flag("--all", options->all, "all of yours; for root everybody's");
    stop->add_flag("--json", options->json, "one JSON object a line for each that was ended");
    stop->footer("EXAMPLES\n  reeve stop 01JD5V8Z3N4M0C2R6K9T7W1XYA\n  reeve stop --all");
    stop->callback([options, &invocation] {
        invocation.action = [options] {
            return stop_sessions(options->session, options->all, options->json);
        };
    });
}

}  // namespace reeve::client
