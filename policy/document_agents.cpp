// The section "agents".
#include <algorithm>

#include "policy/document_reader.hpp"

namespace reeve::policy {
namespace {

// What a COMMAND without an agent runs as (policy/engine.hpp).
constexpr std::string_view kReserved = "unverified";

bool is_hex(char c) {
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
}

std::vector<std::string> read_hashes(const JsonNode* node, Report& report) {
    auto hashes = read_texts(node, 1000, false, report, [&](const JsonNode& entry) {
        const bool good = entry.text.size() == 64 && std::ranges::all_of(entry.text, is_hex);
        if (!good) {
            report.error(entry.at, in_quotes(entry.text) + " is not a SHA-256",
                         "write its 64 hexadecimal digits, as sha256sum prints them");
        }
        return good;
    });
    for (auto& hash : hashes) {
        for (char& c : hash) {
            if (c >= 'A' && c <= 'F') c = static_cast<char>(c + 32);
        }
    }
    return hashes;
}

// Names that Debian and RPM packages may have.
std::string read_package(const JsonNode* node, Report& report) {
    const auto name = read_text(node, 128, report);
    if (!name) return "";
    const auto is_name = [](char c) {
        return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '+' ||
               c == '-' || c == '.' || c == '_';
    };
    if (!std::ranges::all_of(*name, is_name) || name->starts_with('-') || name->starts_with('.')) {
        report.error(node->at, in_quotes(*name) + " cannot be the name of a package",
                     "write it as dpkg -S or rpm -qf give it, without a version");
        return "";
    }
    return *name;
}

// The anchors of an object that has some of their keys: exactly one.
std::optional<TrustAnchor> read_anchor(const ObjectReader& object, Report& report) {
    static constexpr std::string_view kHint = "it needs one of \"package\", \"sha256\", \"signer\"";
    const auto* package = object.find("package");
    const auto* hashes = object.find("sha256");
    const auto* signer = object.find("signer");
    const int count =
        (package != nullptr ? 1 : 0) + (hashes != nullptr ? 1 : 0) + (signer != nullptr ? 1 : 0);
    if (count > 1) {
        report.error(object.at(), "this trust anchor asks for several things at once",
                     "make an entry of each in \"any\": one of them is enough then");
        return std::nullopt;
    }
    if (count == 0) {
        if (object.is_object()) report.error(object.at(), "this trust anchor is empty", std::string(kHint));
        return std::nullopt;
    }
    return TrustAnchor{read_package(package, report), read_hashes(hashes, report),
                       read_text(signer, 4096, report).value_or("")};
}

std::vector<TrustAnchor> read_trust(const JsonNode* node, Report& report) {
    std::vector<TrustAnchor> anchors;
    if (node == nullptr) return anchors;
    const ObjectReader object(*node, kinds::trust, report);
    const auto* any = object.find("any");
    if (any == nullptr) {
        if (const auto anchor = read_anchor(object, report)) anchors.push_back(*anchor);
        return anchors;
    }
    if (node->items.size() > 1) {
        report.error(node->at, "\"any\" stands beside other keys", "move them into its list");
    }
    read_list(any, 64, false, report, [&](const JsonNode& entry) {
        const ObjectReader item(entry, kinds::anchor, report);
        if (const auto anchor = read_anchor(item, report)) anchors.push_back(*anchor);
    });
    return anchors;
}

bool check_variable_name(const JsonNode& entry, Report& report) {
    std::string_view name = entry.text;
    if (name.ends_with('*')) name.remove_suffix(1);
    const auto is_name = [](char c) {
        return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_';
    };
    if (name.empty()) {
        report.error(entry.at, in_quotes(entry.text) + " would hand through every variable, secrets too",
                     "name those that the agent needs, such as \"LANG\" or \"LC_*\"");
        return false;
    }
    const bool good =
        name.size() <= 128 && std::ranges::all_of(name, is_name) && (name[0] < '0' || name[0] > '9');
    if (!good) {
        report.error(entry.at, in_quotes(entry.text) + " cannot be the name of an environment variable",
                     "use letters, digits and \"_\"; a final \"*\" stands for the rest of the name");
    }
    return good;
}

Agent read_agent(const JsonNode& node, Report& report) {
    const ObjectReader object(node, kinds::agent, report);
    Agent agent;
    agent.at = node.at;
    if (object.is_object() && node.items.empty()) {
        report.error(node.at, "this agent says nothing",
                     "it needs \"executables\", or what another layer's is to get less of");
    }
    // A layer that only tightens an agent of another one need not say what its programs are.
    agent.executables = read_patterns(object.find("executables"), false, VariableSet::person, report);
    agent.workspaces = read_patterns(object.find("workspaces"), false, VariableSet::person, report);
    agent.state = read_patterns(object.find("state"), true, VariableSet::session, report);
    agent.trust = read_trust(object.find("trust"), report);
    agent.environment = read_texts(object.find("environment"), 1000, true, report,
                                   [&](const JsonNode& entry) { return check_variable_name(entry, report); });
    return agent;
}

}  // namespace

void read_agents(const JsonNode* node, Document& document, Report& report) {
    if (node == nullptr) return;
    if (node->kind != JsonNode::Kind::object) {
        wrong_kind(*node, "an object with an agent under each id", report);
        return;
    }
    for (const auto& entry : node->items) {
        if (!check_name(entry.key, entry.key_at, "an agent's id", report)) continue;
        if (entry.key == kReserved) {
            report.error(entry.key_at, in_quotes(entry.key) + " cannot be defined",
                         "it is what a command runs as that belongs to no agent");
        }
        document.agents.emplace(entry.key, read_agent(entry, report));
    }
}

}  // namespace reeve::policy
