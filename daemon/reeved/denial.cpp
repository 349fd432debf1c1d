#include "daemon/reeved/denial.hpp"

#include <algorithm>
#include <climits>

#include "daemon/audit/encode.hpp"

namespace reeve::daemon {
namespace {

// As long as the kernel takes them: two, in escapes, still fit into an answer.
std::string shown(const std::string& path) {
    return path.substr(0, PATH_MAX);
}

std::string what_to_do(const audit::Denial& denial, const policy::CompiledRule* rule) {
    if (denial.decision == audit::Decision::kAsk)
        return "policy would have the person asked, which Reeve does not do yet; whoever writes it can allow "
               "it";
    if (rule != nullptr) return "work without it; whoever writes the policy can except it from " + rule->id;
    return "work without it; no rule allows it, and whoever writes the policy can add one";
}

}  // namespace

api::Json denial_json(const audit::Denial& denial, const policy::Policy& policy) {
    const auto found = std::ranges::find(policy.rules(), denial.rule, &policy::CompiledRule::id);
    const policy::CompiledRule* rule =
        denial.rule.empty() || found == policy.rules().end() ? nullptr : &*found;
    api::Json json{{"number", denial.number},
                   {"time", audit::timestamp(denial.realtime_ns)},
                   {"action", word(denial.action)},
                   {"resource", shown(denial.resource)},
                   {"decision", word(denial.decision)},
                   {"todo", what_to_do(denial, rule)},
                   {"count", denial.count}};
    if (!denial.target.empty()) json["target"] = shown(denial.target);
    if (!denial.rule.empty()) json["rule"] = denial.rule;
    if (rule == nullptr) return json;
    if (!rule->reason.empty()) json["reason"] = rule->reason;
    json["where"] = rule->file + ":" + std::to_string(rule->at.line);
    return json;
}

}  // namespace reeve::daemon
