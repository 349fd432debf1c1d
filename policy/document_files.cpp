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
    read_list(node, 4, true, report, [&](const JsonNode& entry) {
        const auto one = read_word<unsigned>(&entry,
                                             {{"opens", kLogOpens},
                                              {"changes", kLogChanges},
                                              {"writes", kLogWrites},
                                              {"executions", kLogExecutions}},
                                             report);
        bits |= one.value_or(0);
    });
    return bits;
}

// How a denial looks to the session. Both are about denials alone, and contradict each other.
void read_looks(const ObjectReader& object, FileRule& rule, Report& report) {
    const JsonNode* const hidden = object.find("hidden");
    const JsonNode* const canary = object.find("canary");
    rule.hidden = read_truth(hidden, report).value_or(false);
    rule.canary = read_truth(canary, report).value_or(false);
    for (const JsonNode* node : {hidden, canary}) {
        if (node != nullptr && rule.verdict != Verdict::deny)
            report.error(node->key_at, in_quotes(node->key) + " stands in a rule that does not deny",
                         "only what is denied can look different from what it is");
    }
    if (rule.hidden && rule.canary)
        report.error(canary->key_at, "a canary that is hidden",
                     "what nobody sees nobody touches: leave one out");
    if (!rule.canary) return;
    for (const auto& pattern : rule.paths) {
        // Braces are lists of names, and variables have values: both are as literal as names.
        if (pattern.text.find_first_of("*?[") != std::string::npos)
            report.error(pattern.at,
                         "the pattern " + in_quotes(pattern.text) + " of a canary is not one path",
                         "name the file that is to look present, without * ? [ ]");
    }
    if (!rule.except.empty())
        report.error(object.find("except")->key_at, "\"except\" stands in a rule of canaries",
                     "name only the paths that are meant");
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
    read_looks(object, rule, report);
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
