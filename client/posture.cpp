// reeve posture, reeve doctor.
#include <CLI/App.hpp>
#include <CLI/Config.hpp>
#include <CLI/Formatter.hpp>
#include <iostream>
#include <memory>
#include <sstream>

#include "client/command.hpp"
#include "client/table.hpp"
#include "daemon/api/render_record.hpp"

namespace reeve::client {
namespace {

using api::Json;

int show_posture(bool fresh, bool json) {
    Json request{{"call", "posture"}};
    if (fresh) request["fresh"] = true;
    const auto answer = ask(request);
    if (!answer) return complain(answer.error());
    const auto found = answer->find("compliant");
    const bool compliant = found != answer->end() && found->is_boolean() && found->get<bool>();
    if (json) {
        Json shown = *answer;
        shown.erase("table");
        print_json(shown);
    } else {
        std::istringstream lines(text_of(*answer, "table"));
        for (std::string line; std::getline(lines, line);) std::cout << api::terminal_safe(line) << '\n';
    }
    return finish_output(compliant ? kYes : kNo);
}

int show_doctor(bool json) {
    const auto answer = ask({{"call", "doctor"}});
    if (!answer) return complain(answer.error());
    Table table({"", "AREA", "WHAT", "DETAIL"});
    bool problem = false;
    for (const Json& finding : list_of(*answer, "findings")) {
        const std::string state = text_of(finding, "state");
        problem = problem || state == "problem";
        if (json) {
            print_json(finding);
            continue;
        }
        table.add({state, text_of(finding, "area"), text_of(finding, "name"), text_of(finding, "detail")});
        if (const std::string todo = text_of(finding, "todo"); !todo.empty())
            table.add({"", "", "", "to do: " + todo});
    }
    if (!json) std::cout << table.text();
    return finish_output(problem ? kNo : kYes);
}

}  // namespace

void add_posture(CLI::App& app, Invocation& invocation) {
    struct Posture {
        bool fresh = false, json = false;
    };
    auto options = std::make_shared<Posture>();
    CLI::App* posture = app.add_subcommand("posture", "the state of this device, as it would be attested");
    posture->add_flag("--fresh", options->fresh, "measure again, whatever is known from before");
    posture->add_flag("--json", options->json, "as JSON");
    posture->footer(
        "EXAMPLES\n  reeve posture\n  reeve posture --fresh --json | jq .requirements\n"
        "Gives 1 where the device falls short of what policy requires.");
    posture->callback([options, &invocation] {
        invocation.action = [options] { return show_posture(options->fresh, options->json); };
    });

    auto json = std::make_shared<bool>(false);
    CLI::App* doctor =
        app.add_subcommand("doctor", "what holds on this machine, what does not, and what to do");
    doctor->add_flag("--json", *json, "one JSON object a line for each finding");
    doctor->footer("EXAMPLES\n  reeve doctor\nGives 1 where there is a problem.");
    doctor->callback([json, &invocation] { invocation.action = [json] { return show_doctor(*json); }; });
}

}  // namespace reeve::client
