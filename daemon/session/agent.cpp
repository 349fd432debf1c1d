#include "daemon/session/agent.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstdlib>
#include <filesystem>
#include <memory>
#include <sstream>

#include "daemon/session/trust.hpp"
#include "platform/fd.hpp"

namespace reeve::session {
namespace {

namespace fs = std::filesystem;
using platform::error;
using platform::Result;

// Programs whose first argument that is no option is what really runs.
constexpr auto kInterpreters =
    std::to_array<std::string_view>({"node", "nodejs", "bun", "deno", "python", "perl", "ruby", "sh", "bash",
                                     "dash", "zsh", "php", "java", "tclsh", "lua"});

std::string resolved(const fs::path& path) {
    const std::unique_ptr<char, decltype(&std::free)> real(::realpath(path.c_str(), nullptr), &std::free);
    struct stat status {};
    if (!real || ::stat(real.get(), &status) != 0 || !S_ISREG(status.st_mode)) return {};
    return real.get();
}

bool is_interpreter(const std::string& program) {
    std::string name = fs::path(program).filename();
    // python3.11 is python
    name.erase(std::min(name.find_first_of("0123456789"), name.size()));
    return std::ranges::find(kInterpreters, name) != kInterpreters.end();
}

// The first line of a script ("#!..."), without the two characters; empty for what is none.
std::string shebang(const std::string& program) {
    const platform::Fd file(::open(program.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK));
    char line[256];  // BINPRM_BUF_SIZE: the kernel reads no more
    const ssize_t got = file ? ::read(file.get(), line, sizeof line) : 0;
    const std::string_view text(line, got > 0 ? static_cast<std::size_t>(got) : 0);
    return text.starts_with("#!") ? std::string(text.substr(2, text.find('\n') - 2)) : std::string();
}

// What runs a script: the interpreter of its first line, or, behind `env`, the program that PATH leads to.
std::string interpreter_of(const std::string& line, const Asked& asked) {
    std::istringstream words(line);
    std::string interpreter, argument;
    words >> interpreter >> argument;
    if (fs::path(interpreter).filename() != "env") return resolved(interpreter);
    while (argument.starts_with('-') && words >> argument) {
    }
    Asked behind = asked;
    behind.command = {argument};
    return argument.empty() ? std::string() : find_program(behind);
}

std::vector<policy::TrustAnchor> anchors_of(const std::vector<policy::Layer>& layers, const std::string& id) {
    // Of the highest layer that defines the agent, as policy::Settings::trust has it.
    const policy::Agent* found = nullptr;
    auto authority = policy::Authority::vendor;
    for (const policy::Layer& layer : layers) {
        const auto at = layer.document.agents.find(id);
        if (at == layer.document.agents.end() || (found != nullptr && layer.authority < authority)) continue;
        found = &at->second;
        authority = layer.authority;
    }
    return found == nullptr ? std::vector<policy::TrustAnchor>() : found->trust;
}

Result<Agent> trusted(const std::string& id, const std::string& program, const std::string& script,
                      const Asked& asked, const std::vector<policy::TrustAnchor>& anchors,
                      const std::string& certificates) {
    // Of a script, the interpreter counts as well: who could exchange that one could run anything under its name.
    const std::string line = script == program ? shebang(program) : std::string();
    const std::string first = line.empty() ? program : interpreter_of(line, asked);
    if (first.empty()) return error("trust", program, "its interpreter is not there: #!" + line);
    std::vector<Executable> files;
    for (const std::string& path : {first, script}) {
        if (path.empty() || (!files.empty() && files.back().path == path)) continue;
        auto file = open_trusted(path);
        if (!file) return std::unexpected(file.error());
        files.push_back(std::move(*file));
    }
    auto how = check_trust(files, anchors, certificates);
    if (!how) return std::unexpected(how.error());
    return Agent{.id = id, .sha256 = files.back().sha256, .trust = std::move(*how), .note = {}};
}

Agent unverified(std::string note) {
    return {.id = std::string(policy::kUnverified), .sha256 = {}, .trust = "none", .note = std::move(note)};
}

}  // namespace

std::string find_program(const Asked& asked) {
    const std::string& name = asked.command.at(0);
    if (name.find('/') != std::string::npos) return resolved(fs::path(asked.working_directory) / name);
    std::string_view rest = asked.search_path;
    while (!rest.empty()) {
        const std::size_t end = std::min(rest.find(':'), rest.size());
        const std::string_view folder = rest.substr(0, end);
        rest.remove_prefix(std::min(end + 1, rest.size()));
        const fs::path file = (folder.empty() ? fs::path(asked.working_directory) : fs::path(folder)) / name;
        if (::access(file.c_str(), X_OK) != 0) continue;
        if (auto found = resolved(file); !found.empty()) return found;
    }
    return {};
}

std::string entry_script(const std::string& program, const Asked& asked) {
    if (program.empty()) return {};
    if (!shebang(program).empty()) return program;
    if (!is_interpreter(program)) return {};
    // Behind an option it is not looked for: `node --require=mine.js agent.js` is not the agent.
    if (asked.command.size() > 1 && !asked.command[1].starts_with('-'))
        return resolved(fs::path(asked.working_directory) / asked.command[1]);
    return {};
}

Result<Agent> find_agent(const std::vector<policy::Layer>& layers, const policy::Variables& variables,
                         const std::string& certificates, const Asked& asked) {
    const std::string program = find_program(asked);
    const std::string script = entry_script(program, asked);
    // `node /opt/agent/cli.js` is the agent whose executable the script is.
    const auto belongs = [&](const std::string& id) {
        return (!script.empty() && policy::agent_matches(layers, variables, id, script)) ||
               (!program.empty() && policy::agent_matches(layers, variables, id, program));
    };
    if (!asked.agent.empty() && asked.agent != policy::kUnverified) {
        const bool known = std::ranges::any_of(
            layers, [&](const auto& layer) { return layer.document.agents.contains(asked.agent); });
        if (!known)
            return error("run it as the agent", asked.agent, "no policy knows that agent",
                         "reeve policy show lists those there are");
        if (!belongs(asked.agent))
            return error("run it as the agent", asked.agent,
                         (program.empty() ? asked.command[0] : program) + " is not one of its executables",
                         "see the agent's \"executables\"");
        const auto anchors = anchors_of(layers, asked.agent);
        if (anchors.empty()) return Agent{.id = asked.agent, .sha256 = {}, .trust = "none", .note = {}};
        return trusted(asked.agent, program, script, asked, anchors, certificates);
    }
    if (asked.agent == policy::kUnverified || program.empty()) return unverified({});
    auto ids = policy::agents_of(layers, variables, script.empty() ? program : script);
    if (ids.empty() && !script.empty()) ids = policy::agents_of(layers, variables, program);
    std::string note;
    for (const std::string& id : ids) {
        const auto anchors = anchors_of(layers, id);
        if (anchors.empty()) return Agent{.id = id, .sha256 = {}, .trust = "none", .note = {}};
        auto agent = trusted(id, program, script, asked, anchors, certificates);
        if (agent) return agent;
        note += (note.empty() ? "" : "; ") + agent.error().text();
    }
    return unverified(std::move(note));
}

}  // namespace reeve::session
