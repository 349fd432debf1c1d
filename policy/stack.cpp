#include "policy/stack.hpp"

#include <algorithm>
#include <tuple>

namespace reeve::policy {
namespace {

bool before(const Document* a, const Document* b) {
    return std::tie(a->id, a->version, a->file) < std::tie(b->id, b->version, b->file);
}

bool has(const std::vector<const Document*>& documents, const Document* document) {
    return std::ranges::find(documents, document) != documents.end();
}

template <typename T>
void append(std::vector<T>& to, const std::vector<T>& from) {
    to.insert(to.end(), from.begin(), from.end());
}

// What was found for one member of an agent: of own documents, and of extended ones.
template <typename T>
struct Member {
    std::vector<T> own, extended;
    void add(const std::vector<T>& values, bool is_extended) { append(is_extended ? extended : own, values); }
    std::vector<T> take() { return own.empty() ? std::move(extended) : std::move(own); }
};

}  // namespace

std::string_view name_of(Authority authority) {
    switch (authority) {
        case Authority::vendor:
            return "vendor";
        case Authority::organisation:
            return "organisation";
        case Authority::device:
            return "device";
        case Authority::user:
            return "user";
        case Authority::run:
            return "run";
    }
    return "";
}

std::vector<Authority> Stack::order() const {
    std::vector<Authority> authorities;
    if (!layer(base).empty()) authorities.push_back(base);
    for (std::size_t a = 0; a < kAuthorities; ++a) {
        const auto authority = static_cast<Authority>(a);
        if (authority != base && !layers[a].empty()) authorities.push_back(authority);
    }
    return authorities;
}

std::string Stack::policy_id() const {
    std::string id;
    for (const auto& placed : layer(base)) {
        if (placed.extended) continue;
        if (!id.empty()) id += '+';
        id += placed.document->id + "@" + std::to_string(placed.document->version);
    }
    return id;
}

std::expected<Stack, std::vector<Diagnostic>> arrange(const std::vector<Layer>& layers) {
    std::array<std::vector<const Document*>, kAuthorities> own;
    for (const auto& layer : layers) {
        own[static_cast<std::size_t>(layer.authority)].push_back(&layer.document);
    }
    for (auto& documents : own) std::sort(documents.begin(), documents.end(), before);
    auto& vendor = own[static_cast<std::size_t>(Authority::vendor)];
    const auto& organisation = own[static_cast<std::size_t>(Authority::organisation)];

    Stack stack;
    std::vector<Diagnostic> wrong;
    std::vector<const Document*> extended;
    for (std::size_t a = 0; a < kAuthorities; ++a) {
        for (const auto* document : own[a]) {
            for (const auto& id : document->extends) {
                const auto is_it = [&](const Document* other) {
                    return other != document && other->id == id;
                };
                if (std::ranges::any_of(own[a], is_it)) continue;  // it counts in this layer anyway
                const auto found = std::ranges::find_if(vendor, is_it);
                if (static_cast<Authority>(a) != Authority::organisation) {
                    wrong.push_back({.file = document->file,
                                     .at = {},
                                     .message = "\"extends\" is for documents of the organisation, this one "
                                                "counts as the " +
                                                std::string(name_of(static_cast<Authority>(a))) + "'s",
                                     .hint = "remove it: what the layers above allow holds without it"});
                } else if (found == vendor.end()) {
                    wrong.push_back({.file = document->file,
                                     .at = {},
                                     .message = "it extends \"" + id + "\", and there is no such document",
                                     .hint = "documents that can be extended: " +
                                             (vendor.empty() ? "none" : "\"" + vendor.front()->id + "\"")});
                } else if (!has(extended, *found)) {
                    extended.push_back(*found);
                }
            }
        }
    }
    if (vendor.empty() && organisation.empty()) {
        wrong.push_back({.file = "policy",
                         .at = {},
                         .message = "there is neither a vendor's nor an organisation's document",
                         .hint = "without one, nothing would be allowed"});
    }
    if (!wrong.empty()) return std::unexpected(std::move(wrong));

    if (!organisation.empty()) stack.base = Authority::organisation;
    for (std::size_t a = 0; a < kAuthorities; ++a) {
        for (const auto* document : own[a]) {
            if (has(extended, document)) continue;
            stack.layers[a].push_back({.document = document, .extended = false});
        }
    }
    std::sort(extended.begin(), extended.end(), before);
    for (const auto* document : extended) {
        stack.layers[static_cast<std::size_t>(Authority::organisation)].push_back(
            {.document = document, .extended = true});
    }
    return stack;
}

std::map<std::string, LayerAgent> agents_of_layer(const std::vector<Placed>& documents) {
    struct Members {
        Member<PatternText> executables, workspaces;
        Member<TrustAnchor> trust;
        Member<std::string> environment;
        Member<LayerAgent::State> state;
    };
    std::map<std::string, Members> found;
    for (const auto& [document, extended] : documents) {
        for (const auto& [id, agent] : document->agents) {
            auto& members = found[id];
            members.executables.add(agent.executables, extended);
            members.workspaces.add(agent.workspaces, extended);
            members.trust.add(agent.trust, extended);
            members.environment.add(agent.environment, extended);
            std::vector<LayerAgent::State> state;
            for (const auto& pattern : agent.state) state.push_back({pattern, document});
            members.state.add(state, extended);
        }
    }
    std::map<std::string, LayerAgent> agents;
    for (auto& [id, members] : found) {
        agents[id] = {.executables = members.executables.take(),
                      .workspaces = members.workspaces.take(),
                      .trust = members.trust.take(),
                      .environment = members.environment.take(),
                      .state = members.state.take()};
    }
    return agents;
}

bool is_for(const std::vector<std::string>& agents, std::string_view agent_id) {
    return agents.empty() || std::ranges::find(agents, agent_id) != agents.end();
}

}  // namespace reeve::policy
