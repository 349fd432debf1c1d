// reeve(1) in roff's man macros (man(7), groff_man(7)).
#include <algorithm>
#include <cctype>
#include <sstream>

#include "client/command_tree.hpp"

namespace reeve::client {
namespace {

// A backslash is roff's escape, a bare '-' may become a typographic hyphen that cannot be copied into a
// shell, and a line that starts with a dot or a quote would be a macro.
std::string roff(std::string_view text) {
    std::string out;
    bool line_start = true;
    for (const char c : text) {
        if (line_start && (c == '.' || c == '\'')) out += "\\&";
        if (c == '\\')
            out += "\\e";
        else if (c == '-')
            out += "\\-";
        else
            out += c;
        line_start = c == '\n';
    }
    return out;
}

std::string usage(const Command& command) {
    std::string text = command.path;
    if (!command.switches.empty()) text += " [options]";
    for (const auto& positional : command.positionals) {
        const auto shown = positional.name + (positional.many ? "..." : "");
        text += positional.required ? " " + shown : " [" + shown + "]";
    }
    if (!command.children.empty()) text += " command";
    return text;
}

std::string switch_text(const Switch& option) {
    std::string text;
    for (const auto& name : option.names) text += (text.empty() ? "" : ", ") + name;
    return option.takes_value ? text + " " + option.value.shown : text;
}

void options(std::ostream& out, const Command& command) {
    for (const auto& option : command.switches) {
        out << ".TP\n.B " << roff(switch_text(option)) << '\n' << roff(option.help) << '\n';
    }
    for (const auto& positional : command.positionals) {
        if (!positional.help.empty())
            out << ".TP\n.I " << roff(positional.name) << '\n' << roff(positional.help) << '\n';
    }
}

// A footer is split at lines that hold one word in capitals and a colon or nothing: those are headings.
void footer(std::ostream& out, const std::string& text) {
    std::istringstream lines(text);
    bool headed = false;
    for (std::string line; std::getline(lines, line);) {
        const auto capitals = [](char c) {
            return std::isupper(static_cast<unsigned char>(c)) != 0 || c == ' ';
        };
        if (!line.empty() && std::ranges::all_of(line, capitals)) {
            out << ".SH " << line << "\n.nf\n";
            headed = true;
        } else {
            if (!headed) out << ".SH NOTES\n.nf\n";
            headed = true;
            out << roff(line) << '\n';
        }
    }
    if (headed) out << ".fi\n";
}

}  // namespace

std::string man_page(const Command& root, std::string_view version) {
    std::vector<const Command*> all;
    flatten(root, all);
    std::string title = root.name;
    std::ranges::transform(title, title.begin(),
                           [](unsigned char c) { return static_cast<char>(std::toupper(c)); });

    std::ostringstream out;
    out << ".\\\" Made by `" << root.name << " --generate man`.\n"
        << ".TH " << title << " 1 \"\" \"" << root.name << ' ' << version << "\" \"User Commands\"\n"
        << ".SH NAME\n"
        << root.name << " \\- " << roff(root.help) << '\n'
        << ".SH SYNOPSIS\n.B " << roff(usage(root)) << '\n';
    if (!root.switches.empty() || !root.positionals.empty()) out << ".SH OPTIONS\n";
    options(out, root);
    if (all.size() > 1) out << ".SH COMMANDS\n";
    for (const auto* command : all) {
        if (command == &root) continue;
        out << ".SS " << roff(usage(*command)) << '\n' << roff(command->help) << '\n';
        options(out, *command);
        if (!command->footer.empty()) out << ".PP\n" << roff(command->footer) << '\n';
    }
    footer(out, root.footer);
    return out.str();
}

}  // namespace reeve::client
