#include "client/app.hpp"

#include <CLI/App.hpp>
#include <CLI/Config.hpp>
#include <CLI/Formatter.hpp>
#include <algorithm>
#include <exception>
#include <iostream>

#include "client/generate.hpp"
#include "daemon/api/render_record.hpp"

namespace reeve::client {
namespace {

constexpr const char* kFooter =
    "EXAMPLES\n"
    "  reeve run -- claude              an agent, confined to this folder\n"
    "  reeve log --decision denied      what was refused\n"
    "  reeve policy explain write ~/.ssh/config\n"
    "EXIT STATUS\n"
    "  0 done; 1 the answer is no; 2 the command line is wrong; 3 the daemon is not there.\n"
    "  run gives the command's own code, 125 where Reeve could not start it, 126 and 127 as a shell does.\n"
    "ENVIRONMENT\n"
    "  REEVE_SOCKET  where the daemon listens, if not at /run/reeve/reeve.sock\n"
    "FILES\n"
    "  /etc/reeve/policy.d/*.json, /var/log/reeve/audit-*.jsonl\n";

std::size_t distance(const std::string& a, const std::string& b) {
    std::vector<std::size_t> row(b.size() + 1);
    for (std::size_t j = 0; j <= b.size(); ++j) row[j] = j;
    for (std::size_t i = 1; i <= a.size(); ++i) {
        std::size_t diagonal = std::exchange(row[0], i);
        for (std::size_t j = 1; j <= b.size(); ++j) {
            const std::size_t above = row[j];
            row[j] = std::min({above + 1, row[j - 1] + 1, diagonal + (a[i - 1] == b[j - 1] ? 0 : 1)});
            diagonal = above;
        }
    }
    return row[b.size()];
}

std::vector<const CLI::App*> children(const CLI::App& app) {
    return app.get_subcommands([](const CLI::App* child) { return !child->get_name().empty(); });
}

const CLI::Option* find_option(const CLI::App& app, const std::string& word) {
    const std::string name = word.substr(0, word.find('='));
    for (const CLI::Option* option : app.get_options())
        if (option->nonpositional() && option->check_name(name)) return option;
    return nullptr;
}

// Which words are whose: as far as they are known, and the first that is not.
struct Walk {
    const CLI::App* app = nullptr;  // the innermost command
    std::size_t rest = 0;           // of a command that takes a foreign command line: where that starts
    bool has_rest = false;
    std::string unknown;
};

Walk walk(const CLI::App& top, const std::vector<std::string>& words) {
    Walk result{.app = &top};
    for (std::size_t at = 0; at < words.size(); ++at) {
        const std::string& word = words[at];
        const bool is_option = word.size() > 1 && word[0] == '-';
        if (result.app->get_prefix_command() && (!is_option || word == "--")) {
            result.rest = word == "--" ? at + 1 : at;
            result.has_rest = true;
            return result;
        }
        if (word == "--") return result;
        if (is_option) {
            const CLI::Option* option = find_option(*result.app, word);
            if (option == nullptr && result.unknown.empty()) result.unknown = word;
            if (option != nullptr && option->get_items_expected_min() > 0 &&
                word.find('=') == std::string::npos)
                ++at;  // its value
            continue;
        }
        const auto below = children(*result.app);
        if (below.empty()) continue;  // a positional
        const auto found =
            std::ranges::find_if(below, [&](const auto* child) { return child->get_name() == word; });
        if (found == below.end()) {
            result.unknown = word;
            return result;
        }
        result.app = *found;
    }
    return result;
}

std::vector<std::string> known_words(const CLI::App& app, bool options) {
    std::vector<std::string> known;
    if (!options)
        for (const auto* child : children(app)) known.push_back(child->get_name());
    for (const CLI::Option* option : app.get_options())
        if (options && !option->get_group().empty())
            for (const std::string& name : option->get_lnames()) known.push_back("--" + name);
    return known;
}

std::string full_name(const CLI::App& app) {
    return app.get_parent() == nullptr ? app.get_name() : full_name(*app.get_parent()) + " " + app.get_name();
}

int usage_error(const CLI::App& app, const std::string& why) {
    std::cerr << api::terminal_safe("reeve: " + why) << "; see " << full_name(app) << " --help\n";
    return kUsage;
}

int explain_unknown(const Walk& found) {
    const bool option = found.unknown[0] == '-';
    const std::string near =
        nearest(found.unknown.substr(0, found.unknown.find('=')), known_words(*found.app, option));
    std::string why =
        full_name(*found.app) + " knows no " + (option ? "option " : "command ") + found.unknown;
    if (!near.empty()) why += ", did you mean " + near + "?";
    return usage_error(*found.app, why);
}

}  // namespace

std::string nearest(const std::string& word, const std::vector<std::string>& known) {
    std::string best;
    std::size_t least = std::max<std::size_t>(2, word.size() / 3) + 1;
    for (const std::string& name : known)
        if (const std::size_t far = distance(word, name); far < least) {
            best = name;
            least = far;
        }
    return best;
}

std::unique_ptr<CLI::App> make_app(Invocation& invocation, std::span<const Family> families) {
    auto app = std::make_unique<CLI::App>("runs AI agents confined, and shows what they did", "reeve");
    app->set_version_flag("--version", std::string("reeve ") + REEVE_VERSION);
    app->add_option("--generate", "man, bash, zsh or fish: for the package")->group("");
    app->footer(kFooter);
    app->require_subcommand(0, 1);
    for (const Family add : families) add(*app, invocation);
    return app;
}

int read_line(CLI::App& app, std::vector<std::string> words, Invocation& invocation) {
    const Walk found = walk(app, words);
    // Before the parser: it would take an unknown option of run's as the start of the command.
    if (!found.unknown.empty()) return explain_unknown(found);
    if (found.has_rest) {
        invocation.command.assign(words.begin() + static_cast<std::ptrdiff_t>(found.rest), words.end());
        words.resize(found.rest);
        if (!words.empty() && words.back() == "--") words.pop_back();
    }
    try {
        std::vector<std::string> reversed(words.rbegin(), words.rend());
        app.parse(reversed);
    } catch (const CLI::Success& success) {
        return app.exit(success) == 0 ? finish_output(kYes) : kUsage;
    } catch (const CLI::ParseError& wrong) {
        return usage_error(*found.app, wrong.what());
    }
    if (const std::string word = app["--generate"]->as<std::string>(); !word.empty()) {
        const auto kind = generated_from(word);
        if (!kind) return usage_error(app, "--generate knows man, bash, zsh and fish");
        std::cout << generate(*kind, app, REEVE_VERSION);
        return finish_output(kYes);
    }
    if (found.app->get_prefix_command() && invocation.command.empty())
        return usage_error(*found.app, "there is no command to run");
    if (invocation.action) return -1;
    std::cerr << found.app->help();
    return kUsage;
}

int run_program(int argc, char** argv, std::span<const Family> families) {
    std::ios::sync_with_stdio(false);
    try {
        Invocation invocation;
        const auto app = make_app(invocation, families);
        const int known = read_line(*app, {argv + std::min(argc, 1), argv + argc}, invocation);
        return known >= 0 ? known : invocation.action();
    } catch (const std::exception& failure) {
        // Memory that is not to be had, and bugs: said, and no core dump of what passed through.
        std::cerr << "reeve: cannot go on: " << failure.what() << '\n';
        return kNo;
    }
}

}  // namespace reeve::client
