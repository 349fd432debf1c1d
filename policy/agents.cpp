// Who an executable is, and where an agent may work.
#include <algorithm>
#include <set>

#include "policy/glob.hpp"
#include "policy/stack.hpp"

namespace reeve::policy {
namespace {

// An agent as one layer knows it.
struct Definition {
    Authority authority;
    LayerAgent agent;
};

bool matches_any(const std::vector<PatternText>& patterns, const Variables& variables,
                 std::string_view path) {
    return std::ranges::any_of(patterns, [&](const PatternText& pattern) {
        // A pattern with a variable that has no value here says nothing about any path.
        const auto sequences = glob::expand(pattern.text, variables);
        return sequences && std::ranges::any_of(*sequences, [&](const glob::Sequence& sequence) {
                   return sequence.matches(path);
               });
    });
}

bool is_persons_own(Authority authority) {
    return authority == Authority::user || authority == Authority::run;
}

// Documents that cannot be arranged have no agents: compile() says what is wrong with them.
std::map<std::string, std::vector<Definition>> definitions(const std::vector<Layer>& layers) {
    std::map<std::string, std::vector<Definition>> found;
    const auto stack = arrange(layers);
    if (!stack) return found;
    for (const auto authority : stack->order()) {
        for (auto& [id, agent] : agents_of_layer(stack->layer(authority))) {
            found[id].push_back({authority, agent});
        }
    }
    return found;
}

// Whether a rule of a layer above the person's own is for this agent. Then the person's own documents cannot
// say who that is.
bool is_spoken_of(const std::vector<Layer>& layers, std::string_view agent_id) {
    const auto names_it = [&](const auto& rule) {
        return std::ranges::find(rule.agents, agent_id) != rule.agents.end();
    };
    return std::ranges::any_of(layers, [&](const Layer& layer) {
        return !is_persons_own(layer.authority) && (std::ranges::any_of(layer.document.files, names_it) ||
                                                    std::ranges::any_of(layer.document.network, names_it) ||
                                                    std::ranges::any_of(layer.document.dlp, names_it));
    });
}

bool is_executable_of(const std::vector<Layer>& layers, const Variables& variables, std::string_view id,
                      const std::vector<Definition>& agent, std::string_view executable) {
    const bool all_persons_own = std::ranges::all_of(
        agent, [](const Definition& definition) { return is_persons_own(definition.authority); });
    if (all_persons_own && is_spoken_of(layers, id)) return false;
    bool named = false;
    for (const auto& definition : agent) {
        if (definition.agent.executables.empty()) continue;
        if (!matches_any(definition.agent.executables, variables, executable)) return false;
        named = true;
    }
    return named;
}

Variables of_person(const Variables& variables) {
    return {.home = variables.home, .workspace = {}, .user = variables.user, .session = {}, .tmp = {}};
}

bool is_at_or_above(std::string_view above, std::string_view path) {
    return above == "/" || path == above || (path.starts_with(above) && path[above.size()] == '/');
}

}  // namespace

std::vector<std::string> agents_of(const std::vector<Layer>& layers, const Variables& variables,
                                   std::string_view executable) {
    std::vector<std::string> agents;
    for (const auto& [id, definition] : definitions(layers)) {
        if (is_executable_of(layers, of_person(variables), id, definition, executable)) agents.push_back(id);
    }
    return agents;
}

bool agent_matches(const std::vector<Layer>& layers, const Variables& variables, std::string_view agent_id,
                   std::string_view executable) {
    const auto agents = agents_of(layers, variables, executable);
    return std::ranges::find(agents, agent_id) != agents.end();
}

std::expected<void, std::string> check_workspace(const std::vector<Layer>& layers, const Variables& variables,
                                                 std::string_view agent_id, std::string_view workspace) {
    const std::string name(workspace);
    const auto no = [&](const std::string& why) {
        return std::unexpected("\"" + name + "\" cannot be the workspace: " + why);
    };
    if (!is_resolved(workspace)) return no("it is not an absolute path without links, \"..\" or a final '/'");
    if (workspace == "/") return no("it is the whole machine; choose a folder of a project");
    if (!is_resolved(variables.home)) return no("the person's home is not known");
    if (is_at_or_above(workspace, variables.home)) {
        return no(workspace == variables.home ? "it is the whole home; choose a folder of a project in it"
                                              : "the whole home is below it; choose a folder of a project");
    }
    if (!arrange(layers)) return no("the policy's documents do not fit together");
    const auto agents = definitions(layers);
    const auto agent = agents.find(std::string(agent_id));
    if (agent == agents.end()) return {};
    for (const auto& [authority, definition] : agent->second) {
        const auto& workspaces = definition.workspaces;
        if (workspaces.empty() || matches_any(workspaces, of_person(variables), workspace)) continue;
        std::string allowed;
        for (const auto& pattern : workspaces) allowed += (allowed.empty() ? "" : ", ") + pattern.text;
        return no("the " + std::string(name_of(authority)) + "'s policy lets " + std::string(agent_id) +
                  " work in " + allowed);
    }
    return {};
}

}  // namespace reeve::policy
