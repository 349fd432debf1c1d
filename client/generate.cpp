#include "client/generate.hpp"

#include <CLI/App.hpp>
#include <CLI/Config.hpp>
#include <CLI/Formatter.hpp>
#include <sstream>

#include "client/command_tree.hpp"

namespace reeve::client {
namespace {

// CLI11 keeps the type and the descriptions of validators in one text: "TEXT:FILE", "TEXT:{allow,deny}".
Value value_of(const CLI::Option& option) {
    const auto type = option.get_type_name();
    const auto open = type.find('{');
    const auto close = type.find('}', open);
    if (open != std::string::npos && close != std::string::npos) {
        Value value{
            .kind = Value::Kind::kChoice, .shown = type.substr(open, close - open + 1), .choices = {}};
        std::istringstream choices(type.substr(open + 1, close - open - 1));
        for (std::string choice; std::getline(choices, choice, ',');) value.choices.push_back(choice);
        return value;
    }
    const auto shown = type.substr(type.rfind(':') + 1);
    const auto has = [&](const char* word) { return type.find(word) != std::string::npos; };
    if (has("DIR")) return {.kind = Value::Kind::kFolder, .shown = shown, .choices = {}};
    if (has("FILE") || has("PATH")) return {.kind = Value::Kind::kFile, .shown = shown, .choices = {}};
    return {.kind = Value::Kind::kWord, .shown = shown, .choices = {}};
}

Switch switch_of(const CLI::Option& option) {
    Switch made{.names = {},
                .takes_value = option.get_items_expected_max() != 0,
                .value = value_of(option),
                .help = option.get_description()};
    for (const auto& name : option.get_snames()) made.names.push_back("-" + name);
    for (const auto& name : option.get_lnames()) made.names.push_back("--" + name);
    return made;
}

// A positional is shown by the name of its type (SESSION) where it has one, TEXT being CLI11's word for none.
Positional positional_of(const CLI::Option& option) {
    const auto value = value_of(option);
    const auto name = value.shown.empty() || value.shown == "TEXT" ? option.get_name(true) : value.shown;
    return {.name = name,
            .value = value,
            .required = option.get_required(),
            .many = option.get_items_expected_max() > 1,
            .help = option.get_description()};
}

Command command_of(const CLI::App& app, const std::string& parent) {
    Command made{.path = parent.empty() ? app.get_name() : parent + " " + app.get_name(),
                 .name = app.get_name(),
                 .help = app.get_description(),
                 .footer = app.get_footer(),
                 .switches = {},
                 .positionals = {},
                 .children = {}};
    for (const auto* option : app.get_options()) {
        if (option->get_group().empty()) continue;
        if (option->nonpositional())
            made.switches.push_back(switch_of(*option));
        else
            made.positionals.push_back(positional_of(*option));
    }
    if (app.get_prefix_command()) {  // the words that are no option are a command of somebody else's
        made.positionals.push_back(
            {.name = "COMMAND",
             .value = {.kind = Value::Kind::kCommand, .shown = "COMMAND", .choices = {}},
             .required = true,
             .many = true,
             .help = ""});
    }
    for (const auto* child : app.get_subcommands([](const CLI::App*) { return true; })) {
        if (!child->get_group().empty() && !child->get_name().empty()) {
            made.children.push_back(command_of(*child, made.path));
        }
    }
    return made;
}

}  // namespace

std::optional<Generated> generated_from(std::string_view word) {
    if (word == "man") return Generated::kMan;
    if (word == "bash") return Generated::kBash;
    if (word == "zsh") return Generated::kZsh;
    if (word == "fish") return Generated::kFish;
    return std::nullopt;
}

std::string generate(Generated kind, const CLI::App& app, std::string_view version) {
    const auto root = command_of(app, "");
    switch (kind) {
        case Generated::kMan:
            return man_page(root, version);
        case Generated::kBash:
            return bash_completion(root);
        case Generated::kZsh:
            return zsh_completion(root);
        case Generated::kFish:
            return fish_completion(root);
    }
    return {};
}

}  // namespace reeve::client
