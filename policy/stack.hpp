// Which document counts in which layer, and the agents that a layer defines. Internal to the engine.
#pragma once

#include <array>
#include <expected>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "policy/engine.hpp"

namespace reeve::policy {

// A document in the layer that it counts in.
struct Placed {
    const Document* document = nullptr;
    bool extended = false;  // brought in by an `extends` of the layer's own documents
};

// The documents of each layer in an order that does not depend on how they were passed: own ones first, by
// id, version and file.
struct Stack {
    std::array<std::vector<Placed>, kAuthorities> layers;
    Authority base = Authority::vendor;

    const std::vector<Placed>& layer(Authority authority) const {
        return layers[static_cast<std::size_t>(authority)];
    }
    // The base layer, then the others by authority; those without documents are left out.
    std::vector<Authority> order() const;
    std::string policy_id() const;  // of the base layer's own documents
};

// The diagnostics are about `extends` and missing layers. The Stack points into `layers`.
std::expected<Stack, std::vector<Diagnostic>> arrange(const std::vector<Layer>& layers);

// What the documents of one layer say about an agent together. Members that own documents give replace those
// of the documents that they extend: who names executables means those.
struct LayerAgent {
    std::vector<PatternText> executables, workspaces;
    std::vector<TrustAnchor> trust;
    std::vector<std::string> environment;
    struct State {
        PatternText pattern;
        const Document* document;
    };
    std::vector<State> state;
};
std::map<std::string, LayerAgent> agents_of_layer(const std::vector<Placed>& documents);

// Whether a rule with this `agents` member is for that agent.
bool is_for(const std::vector<std::string>& agents, std::string_view agent_id);

// The strictest of all layers (engine.hpp). Says what it left out in `warnings`.
Settings merge_settings(const Stack& stack, std::string_view agent_id, std::vector<Diagnostic>& diagnostics);

// The file and network rules of one agent in the order of Stack::order(), with variables and braces expanded.
// Faults go to `diagnostics`.
std::vector<CompiledRule> collect_rules(const Stack& stack, const Variables& variables,
                                        std::string_view agent_id, std::vector<Diagnostic>& diagnostics);
NetworkPolicy collect_network(const Stack& stack, std::string_view agent_id);

}  // namespace reeve::policy
