// Completion for bash, zsh and fish. All three find the command that the words so far lead to, and offer what
// it takes.
#include <algorithm>
#include <sstream>

#include "client/command_tree.hpp"

namespace reeve::client {
namespace {

std::string joined(const std::vector<std::string>& words, const char* between) {
    std::string text;
    for (const auto& word : words) text += (text.empty() ? "" : between) + word;
    return text;
}

// 'text' for a shell: nothing inside single quotes is special but the quote itself.
std::string quoted(std::string_view text) {
    std::string out = "'";
    for (const char c : text) {
        if (c == '\'')
            out += "'\\''";
        else
            out += c;
    }
    return out + "'";
}

std::string first_line(const std::string& text) {
    return text.substr(0, text.find('\n'));
}

std::string name_of_function(const std::string& path) {
    std::string name = "_" + path;
    std::ranges::replace_if(
        name, [](char c) { return c == ' ' || c == '-'; }, '_');
    return name;
}

// "reeve run"|"reeve policy"|...: every command below the root, as a pattern of bash's and fish's case.
std::vector<std::string> paths_below(const Command& root) {
    std::vector<const Command*> all;
    flatten(root, all);
    std::vector<std::string> paths = {"''"};  // a case needs a pattern also where there is no command below
    for (const auto* command : all) {
        if (command != &root) paths.push_back("'" + command->path + "'");
    }
    return paths;
}

std::string bash_values(const Value& value) {
    switch (value.kind) {
        case Value::Kind::kFile:
            return "-f";
        case Value::Kind::kFolder:
            return "-d";
        case Value::Kind::kCommand:
            return "-c";
        case Value::Kind::kChoice:
            return "-W " + quoted(joined(value.choices, " "));
        case Value::Kind::kWord:
            break;
    }
    return "-W ''";
}

void bash_command(std::ostream& after_switch, std::ostream& anywhere, const Command& command) {
    std::vector<std::string> words;
    for (const auto& option : command.switches) {
        words.insert(words.end(), option.names.begin(), option.names.end());
        if (!option.takes_value) continue;
        std::vector<std::string> patterns;
        for (const auto& name : option.names) patterns.push_back("'" + command.path + " " + name + "'");
        after_switch << "        " << joined(patterns, "|") << ") wanted=(" << bash_values(option.value)
                     << ") ;;\n";
    }
    for (const auto& child : command.children) words.push_back(child.name);
    anywhere << "            '" << command.path << "') wanted=(-W " << quoted(joined(words, " "));
    for (const auto& positional : command.positionals) {
        // compgen takes one -W: choices of positionals are rare, and the other kinds add up.
        if (positional.value.kind != Value::Kind::kChoice && positional.value.kind != Value::Kind::kWord) {
            anywhere << ' ' << bash_values(positional.value);
        }
    }
    anywhere << ") ;;\n";
}

std::string zsh_values(const Value& value) {
    switch (value.kind) {
        case Value::Kind::kFile:
            return "_files";
        case Value::Kind::kFolder:
            return "_files -/";
        case Value::Kind::kCommand:
            return "_command_names -e";
        case Value::Kind::kChoice:
            return "(" + joined(value.choices, " ") + ")";
        case Value::Kind::kWord:
            break;
    }
    return " ";
}

// _arguments and _describe give brackets, colons and backslashes a meaning.
std::string zsh_text(const std::string& text) {
    std::string out;
    for (const char c : first_line(text)) {
        if (c == '[' || c == ']' || c == ':' || c == '\\') out += '\\';
        out += c;
    }
    return out;
}

void zsh_function(std::ostream& out, const Command& command) {
    out << name_of_function(command.path)
        << "() {\n    local state line\n    typeset -A opt_args\n    _arguments -S -C";
    for (const auto& option : command.switches) {
        for (const auto& name : option.names) {
            auto spec = "(" + joined(option.names, " ") + ")" + name + "[" + zsh_text(option.help) + "]";
            if (option.takes_value)
                spec += ":" + zsh_text(option.value.shown) + ":" + zsh_values(option.value);
            out << " \\\n        " << quoted(spec);
        }
    }
    for (const auto& positional : command.positionals) {
        out << " \\\n        "
            << quoted((positional.many ? "*:" : ":") + zsh_text(positional.name) + ":" +
                      zsh_values(positional.value));
    }
    if (command.children.empty()) {
        out << "\n}\n";
        return;
    }
    out << " \\\n        '1:command:->command' '*::argument:->argument'\n    case $state in\n        "
           "command) _values command";
    for (const auto& child : command.children)
        out << ' ' << quoted(child.name + "[" + zsh_text(child.help) + "]");
    out << " ;;\n        argument) case $words[1] in\n";
    for (const auto& child : command.children) {
        out << "            " << child.name << ") " << name_of_function(child.path) << " ;;\n";
    }
    out << "        esac ;;\n    esac\n}\n";
}

std::string fish_values(const Value& value) {
    switch (value.kind) {
        case Value::Kind::kFile:
            return " -r -F";
        case Value::Kind::kFolder:
            return " -x -a '(__fish_complete_directories)'";
        case Value::Kind::kCommand:
            return " -x -a '(__fish_complete_command)'";
        case Value::Kind::kChoice:
            return " -x -a " + quoted(joined(value.choices, " "));
        case Value::Kind::kWord:
            break;
    }
    return " -x";
}

void fish_command(std::ostream& out, const Command& root, const Command& command) {
    const auto here =
        "complete -c " + root.name + " -n 'test (__" + root.name + "_path) = \"" + command.path + "\"'";
    for (const auto& option : command.switches) {
        out << here;
        for (const auto& name : option.names) {
            out << (name.starts_with("--") ? " -l " + name.substr(2) : " -s " + name.substr(1));
        }
        out << (option.takes_value ? fish_values(option.value) : "") << " -d "
            << quoted(first_line(option.help)) << '\n';
    }
    for (const auto& child : command.children) {
        out << here << " -f -a " << child.name << " -d " << quoted(first_line(child.help)) << '\n';
    }
    for (const auto& positional : command.positionals) out << here << fish_values(positional.value) << '\n';
}

}  // namespace

std::string bash_completion(const Command& root) {
    std::vector<const Command*> all;
    flatten(root, all);
    std::ostringstream after_switch, anywhere, out;
    for (const auto* command : all) bash_command(after_switch, anywhere, *command);
    out << "# Made by `" << root.name << " --generate bash`.\n"
        << "_" << root.name << "() {\n    local path=" << root.name << " at wanted=()\n"
        << "    for ((at = 1; at < COMP_CWORD; at++)); do\n        case \"$path ${COMP_WORDS[at]}\" in\n     "
           "       "
        << joined(paths_below(root), "|") << ") path+=\" ${COMP_WORDS[at]}\" ;;\n        esac\n    done\n"
        << "    case \"$path ${COMP_WORDS[COMP_CWORD - 1]}\" in\n"
        << after_switch.str() << "        *) case \"$path\" in\n"
        << anywhere.str() << "        esac ;;\n    esac\n"
        << "    mapfile -t COMPREPLY < <(compgen \"${wanted[@]}\" -- \"${COMP_WORDS[COMP_CWORD]}\")\n}\n"
        << "complete -o filenames -F _" << root.name << ' ' << root.name << '\n';
    return out.str();
}

std::string zsh_completion(const Command& root) {
    std::vector<const Command*> all;
    flatten(root, all);
    std::ostringstream out;
    out << "#compdef " << root.name << "\n# Made by `" << root.name << " --generate zsh`.\n";
    for (const auto* command : all) zsh_function(out, *command);
    out << "_" << root.name << " \"$@\"\n";
    return out.str();
}

std::string fish_completion(const Command& root) {
    std::vector<const Command*> all;
    flatten(root, all);
    std::ostringstream out;
    out << "# Made by `" << root.name << " --generate fish`.\nfunction __" << root.name
        << "_path\n    set -l path " << root.name
        << "\n    for word in (commandline -opc)[2..-1]\n        switch \"$path $word\"\n            case "
        << joined(paths_below(root), " ")
        << "\n                set path \"$path $word\"\n        end\n    end\n"
        << "    echo $path\nend\n";
    for (const auto* command : all) fish_command(out, root, *command);
    return out.str();
}

}  // namespace reeve::client
