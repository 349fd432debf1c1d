// Which keys there are. The schema (packaging/schemas/policy.schema.json) is tested to know the same.
#include <array>

#include "policy/document_reader.hpp"

namespace reeve::policy {
namespace kinds {

const ObjectKind document{
    "document",
    "a policy",
    {"schema", "id", "version", "extends", "expires", "mode", "unenforceable", "agents", "files", "network",
     "dlp", "posture", "brokers", "consent", "limits", "audit", "rollout"}};
const ObjectKind agent{"agent", "an agent", {"executables", "trust", "workspaces", "state", "environment"}};
const ObjectKind trust{"trust", "a trust", {"any", "package", "sha256", "signer"}};
const ObjectKind anchor{"anchor", "a trust anchor", {"package", "sha256", "signer"}};
const ObjectKind file_rule{"file_rule",
                           "a file rule",
                           {"id", "allow", "ask", "deny", "paths", "except", "agents", "log", "hidden",
                            "canary", "reason", "label"}};
const ObjectKind network_rule{
    "network_rule", "a network rule", {"id", "allow", "ask", "deny", "verify", "agents", "reason", "label"}};
const ObjectKind network_target{
    "network_target", "a network target", {"hosts", "except", "ports", "addresses"}};
const ObjectKind dlp_rule{
    "dlp_rule", "a dlp rule", {"id", "when", "inspect", "ask", "deny", "agents", "reason"}};
const ObjectKind dlp_when{"dlp_when", "a dlp condition", {"labels"}};
const ObjectKind dlp_target{
    "dlp_target", "a dlp target", {"hosts", "except", "ports", "addresses", "detect", "types"}};
const ObjectKind posture{"posture", "a posture", {"require", "max_age", "on_fail"}};
const ObjectKind broker{
    "broker", "a broker", {"audience", "token_endpoint", "challenge_endpoint", "max_ttl", "resources"}};
const ObjectKind consent{
    "consent", "consent", {"timeout", "max_pending", "lifespans", "max_lifespan", "scripted"}};
const ObjectKind limits{"limits", "limits", {"memory", "processes", "upload", "host_upload"}};
const ObjectKind audit{"audit", "audit", {"on_full", "keep", "max_size", "sinks"}};
const ObjectKind rollout{"rollout", "a rollout", {"share", "groups"}};

}  // namespace kinds

std::map<std::string, std::vector<std::string>> known_keys() {
    using namespace kinds;
    std::map<std::string, std::vector<std::string>> keys;
    for (const ObjectKind* kind :
         {&document, &agent, &trust, &anchor, &file_rule, &network_rule, &network_target, &dlp_rule,
          &dlp_when, &dlp_target, &posture, &broker, &consent, &limits, &audit, &rollout}) {
        keys.emplace(kind->definition, std::vector<std::string>(kind->keys.begin(), kind->keys.end()));
    }
    return keys;
}

}  // namespace reeve::policy
