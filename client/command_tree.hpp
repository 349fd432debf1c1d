// What the generators need of a CLI::App: plain data.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace reeve::client {

// What a value is, as far as a shell can complete it.
struct Value {
    enum class Kind { kWord, kFile, kFolder, kCommand, kChoice };
    Kind kind = Kind::kWord;
    std::string shown;                 // FILE, DIR, {allow,deny}: as the usage text has it
    std::vector<std::string> choices;  // of kChoice
};

struct Switch {
    std::vector<std::string> names;  // with their dashes, short ones first
    bool takes_value = false;
    Value value;
    std::string help;
};

struct Positional {
    std::string name;
    Value value;
    bool required = false, many = false;
    std::string help;
};

struct Command {
    std::string path;  // "reeve policy check"
    std::string name;  // "check"
    std::string help, footer;
    std::vector<Switch> switches;
    std::vector<Positional> positionals;
    std::vector<Command> children;
};

// The command and all below it, parents first.
inline void flatten(const Command& command, std::vector<const Command*>& all) {
    all.push_back(&command);
    for (const auto& child : command.children) flatten(child, all);
}

std::string man_page(const Command& root, std::string_view version);
std::string bash_completion(const Command& root);
std::string zsh_completion(const Command& root);
std::string fish_completion(const Command& root);

}  // namespace reeve::client
