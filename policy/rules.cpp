// From the rules of documents to the rules of one agent's session.
#include <algorithm>
#include <iterator>
#include <set>

#include "policy/glob.hpp"
#include "policy/stack.hpp"

namespace reeve::policy {
namespace {

constexpr ActionSet kAllActions = (1U << kFileActions) - 1;

// Of all patterns of a policy together; keeps a hostile document from filling memory before the automaton is
// even begun.
constexpr std::size_t kMaxSteps = 4U << 20;

class Collector {
  public:
    Collector(const Variables& variables, std::string_view agent_id, std::vector<Diagnostic>& diagnostics)
        : variables_(variables), agent_(agent_id), diagnostics_(diagnostics) {}

    std::vector<CompiledRule> rules;

    void add_layer(Authority authority, const std::vector<Placed>& documents) {
        const auto first = static_cast<std::ptrdiff_t>(rules.size());
        for (const auto& placed : documents) add_document(authority, *placed.document);
        const auto state = add_state(authority, documents);
        for (auto rule = rules.begin() + first; rule != rules.end(); ++rule) leave_out(state, *rule);
    }

  private:
    void add_document(Authority authority, const Document& document) {
        for (std::size_t i = 0; i < document.files.size(); ++i) {
            const auto& from = document.files[i];
            if (!is_for(from.agents, agent_)) continue;
            auto& rule = rules.emplace_back();
            rule.id = from.id.empty() ? document.id + "/files/" + std::to_string(i) : from.id;
            rule.authority = authority;
            rule.verdict = from.verdict;
            rule.actions = from.actions;
            rule.named = from.named;
            rule.log = from.log;
            rule.hidden = from.hidden;
            rule.canary = from.canary;
            rule.reason = from.reason;
            rule.label = from.label;
            rule.file = document.file;
            rule.at = from.at;
            expand(from.paths, document.file, rule.paths);
            expand(from.except, document.file, rule.except);
        }
    }

    // An agent's own places, as a rule that allows them. Gives their patterns.
    std::vector<ExpandedPattern> add_state(Authority authority, const std::vector<Placed>& documents) {
        const auto agents = agents_of_layer(documents);
        const auto agent = agents.find(std::string(agent_));
        std::vector<ExpandedPattern> all;
        if (agent == agents.end()) return all;
        for (const auto& placed : documents) {
            std::vector<PatternText> patterns;
            for (const auto& state : agent->second.state) {
                if (state.document == placed.document) patterns.push_back(state.pattern);
            }
            if (patterns.empty()) continue;
            auto& rule = rules.emplace_back();
            rule.id = placed.document->id + "/agents/" + std::string(agent_) + "/state";
            rule.authority = authority;
            rule.verdict = Verdict::allow;
            rule.actions = kAllActions;
            rule.named = bit(FileAction::read) | bit(FileAction::write) | bit(FileAction::execute);
            rule.state = true;
            rule.reason = "the agent's own state";
            rule.file = placed.document->file;
            rule.at = patterns.front().at;
            expand(patterns, rule.file, rule.paths);
            all.insert(all.end(), rule.paths.begin(), rule.paths.end());
        }
        return all;
    }

    // "State is writable, apart from what rules protect in it": to ask about a whole tree in which the state
    // happens to lie, as the vendor's policy does for the home, protects nothing in it. A deny always does.
    static void leave_out(const std::vector<ExpandedPattern>& state, CompiledRule& rule) {
        if (rule.verdict != Verdict::ask) return;
        for (const auto& place : state) {
            const bool around = std::ranges::any_of(rule.paths, [&](const ExpandedPattern& pattern) {
                return pattern.tree && pattern.prefix != place.prefix && pattern.matches(place.prefix);
            });
            const bool inside = std::ranges::any_of(rule.paths, [&](const ExpandedPattern& pattern) {
                return pattern.prefix != "/" && place.matches(pattern.prefix);
            });
            if (around && !inside) rule.except.push_back(place);
        }
    }

    void expand(const std::vector<PatternText>& patterns, const std::string& file,
                std::vector<ExpandedPattern>& to) {
        for (const auto& pattern : patterns) {
            auto sequences = glob::expand(pattern.text, variables_);
            if (!sequences) {
                wrong(file, pattern, sequences.error(), "");
                continue;
            }
            for (auto& sequence : *sequences) {
                steps_ += sequence.steps.size();
                if (steps_ > kMaxSteps) {
                    if (!full_) {
                        wrong(file, pattern, "with it, the policy's patterns together are too long",
                              "use wildcards in place of lists of names");
                    }
                    full_ = true;
                    return;
                }
                const auto shape = glob::shape_of(sequence);
                to.push_back({.text = pattern.text,
                              .at = pattern.at,
                              .literal = shape.literal,
                              .tree = shape.tree,
                              .prefix = shape.prefix,
                              .sequence = std::make_shared<const glob::Sequence>(std::move(sequence))});
            }
        }
    }
    void wrong(const std::string& file, const PatternText& pattern, const std::string& why,
               std::string hint) {
        diagnostics_.push_back({.file = file,
                                .at = pattern.at,
                                .message = "the pattern \"" + pattern.text + "\": " + why,
                                .hint = std::move(hint)});
    }

    const Variables& variables_;
    std::string_view agent_;
    std::vector<Diagnostic>& diagnostics_;
    std::size_t steps_ = 0;
    bool full_ = false;
};

}  // namespace

std::vector<CompiledRule> collect_rules(const Stack& stack, const Variables& variables,
                                        std::string_view agent_id, std::vector<Diagnostic>& diagnostics) {
    Collector collector(variables, agent_id, diagnostics);
    for (const auto authority : stack.order()) collector.add_layer(authority, stack.layer(authority));
    return std::move(collector.rules);
}

NetworkPolicy collect_network(const Stack& stack, std::string_view agent_id) {
    std::vector<NetworkPolicy::Entry> entries;
    for (const auto authority : stack.order()) {
        for (const auto& placed : stack.layer(authority)) {
            const auto& rules = placed.document->network;
            for (std::size_t i = 0; i < rules.size(); ++i) {
                if (!is_for(rules[i].agents, agent_id)) continue;
                auto id =
                    rules[i].id.empty() ? placed.document->id + "/network/" + std::to_string(i) : rules[i].id;
                entries.push_back({.authority = authority, .id = std::move(id), .rule = rules[i]});
            }
        }
    }
    return {std::move(entries), stack.base};
}

}  // namespace reeve::policy
