// The section "files".
#include "policy/document_reader.hpp"

namespace reeve::policy {
namespace {

ActionSet with_covered(ActionSet named) {
    ActionSet actions = named;
    if ((named & bit(FileAction::read)) != 0) actions |= bit(FileAction::list);
    if ((named & bit(FileAction::write)) != 0) {
        for (const FileAction covered : {FileAction::create, FileAction::remove, FileAction::rename,
                                         FileAction::link, FileAction::attributes}) {
            actions |= bit(covered);
        }
    }
    return actions;
}

ActionSet read_actions(const JsonNode& node, Report& report) {
    std::vector<std::string_view> names;
    for (std::size_t i = 0; i < kFileActions; ++i) names.push_back(name_of(static_cast<FileAction>(i)));
    ActionSet named = 0;
    read_texts(&node, kFileActions, false, report, [&](const JsonNode& entry) {
        const auto action = file_action(entry.text);
        if (action) {
            named |= bit(*action);
        } else {
            report.error(entry.at, "unknown file action " + in_quotes(entry.text),
                         suggestion(entry.text, names));
        }
        return action.has_value();
    });
    return named;
}

std::optional<unsigned> read_log(const JsonNode* node, Report& report) {
    if (node == nullptr) return std::nullopt;
    unsigned bits = 0;
    // An empty list is a wish: record nothing.
    read_list(node, 3, true, report, [&](const JsonNode& entry) {
        const auto one = read_word<unsigned>(
            &entry, {{"opens", kLogOpens}, {"changes", kLogChanges}, {"executions", kLogExecutions}}, report);
        bits |= one.value_or(0);
    });
    return bits;
}

FileRule read_rule(const JsonNode& node, RuleIds& ids, Report& report) {
    const ObjectReader object(node, kinds::file_rule, report);
    FileRule rule;
    rule.at = node.at;
    rule.id = ids.read(object.find("id"), report);
    if (const auto verdict = read_verdict(object, {Verdict::allow, Verdict::ask, Verdict::deny}, report)) {
        rule.verdict = verdict->first;
        rule.named = read_actions(*verdict->second, report);
        rule.actions = with_covered(rule.named);
    }
    rule.paths = read_patterns(object.require("paths"), false, VariableSet::session, report);
    rule.except = read_patterns(object.find("except"), true, VariableSet::session, report);
    rule.agents = read_rule_agents(object.find("agents"), report);
    rule.log = read_log(object.find("log"), report);
    if (rule.log && rule.verdict != Verdict::allow) {
        report.error(object.find("log")->key_at, "\"log\" stands in a rule that does not allow",
                     "only what is allowed is logged by choice; denials and questions always are");
    }
    rule.reason = read_reason(object.find("reason"), report);
    rule.label = read_label(object.find("label"), report);
    return rule;
}

}  // namespace

void read_files(const JsonNode* node, Document& document, RuleIds& ids, Report& report) {
    read_list(node, kMaxRules, true, report,
              [&](const JsonNode& entry) { document.files.push_back(read_rule(entry, ids, report)); });
}

}  // namespace reeve::policy
