// reeve log.
#include <CLI/App.hpp>
#include <CLI/Config.hpp>
#include <CLI/Formatter.hpp>
#include <chrono>
#include <iostream>
#include <memory>

#include "client/command.hpp"
#include "client/when.hpp"
#include "daemon/api/render_record.hpp"

namespace reeve::client {
namespace {

using api::Json;

struct LogOptions {
    std::string session, path, host, decision, action, since;
    bool follow = false, json = false;
};

int show_log(const LogOptions& options) {
    Json request{{"call", "log"}};
    const auto set = [&](const char* name, const std::string& value) {
        if (!value.empty()) request[name] = value;
    };
    set("session", options.session);
    set("path", options.path);
    set("host", options.host);
    set("decision", options.decision);
    set("action", options.action);
    if (!options.since.empty()) {
        const auto now = std::chrono::floor<std::chrono::seconds>(std::chrono::system_clock::now());
        const auto since = parse_since(options.since, now);
        if (!since) return complain(since.error(), kUsage);
        request["since"] = *since;
    }
    if (options.follow) request["follow"] = true;

    const auto answer = ask(request, [&](const Json& event) {
        for (const Json& line : list_of(event, "lines")) {
            if (!line.is_string()) continue;
            const auto& record = line.get_ref<const std::string&>();
            std::cout << (options.json ? record : api::render_record(record)) << '\n';
        }
        if (options.follow) std::cout.flush();
        return std::cout.good();
    });
    if (!answer) {
        std::cout.flush();
        return complain(answer.error());
    }
    return finish_output(kYes);
}

}  // namespace

void add_log(CLI::App& app, Invocation& invocation) {
    auto options = std::make_shared<LogOptions>();
    CLI::App* log = app.add_subcommand("log", "what was read, run, connected to and decided");
    log->add_option("--session", options->session, "of this session")->type_name("SESSION");
    log->add_option("--path", options->path, "files that match; * within a name, ** across folders")
        ->type_name("GLOB");
    log->add_option("--host", options->host, "connections to it; *.example.com takes those below")
        ->type_name("HOST");
    log->add_option("--decision", options->decision,
                    "as policy decided: allow, ask, deny; or what came of it: allowed, denied, failed")
        ->check(CLI::IsMember({"allow", "ask", "deny", "allowed", "denied", "failed"}));
    log->add_option("--action", options->action,
                    "file.read, process.exec, session.start; file.* for all of a kind")
        ->type_name("ACTION");
    log->add_option("--since", options->since, "10m, 2h, 3d; a date; or a time in RFC 3339")
        ->type_name("TIME");
    log->add_flag("-f,--follow", options->follow, "and what comes, until Ctrl-C");
    log->add_flag("--json", options->json, "records as they stand, one a line");
    log->footer(
        "EXAMPLES\n"
        "  reeve log --since 1h --decision denied\n"
        "  reeve log --follow --path '**/.env*'\n"
        "  reeve log --json --action process.exec | jq -r .resource | sort | uniq -c");
    log->callback([options, &invocation] { invocation.action = [options] { return show_log(*options); }; });
}

}  // namespace reeve::client
