#include "policy/engine.hpp"

#include <algorithm>
#include <array>
#include <set>

#include "policy/automaton.hpp"
#include "policy/stack.hpp"
#include "policy/table_format.hpp"
#include "policy/table_writer.hpp"

namespace reeve::policy {
namespace {

// What a state of a table takes at least: the state itself, its outcome and its kind.
constexpr std::size_t kBytesOfState = 20;

void check_variables(const Variables& variables, std::vector<Diagnostic>& diagnostics) {
    const auto wrong = [&](const char* name, const char* why) {
        diagnostics.push_back({.file = "policy",
                               .at = {},
                               .message = std::string("the value of ${") + name + "} " + why,
                               .hint = {}});
    };
    const std::pair<const char*, const std::string*> paths[] = {
        {"home", &variables.home}, {"workspace", &variables.workspace}, {"tmp", &variables.tmp}};
    for (const auto& [name, value] : paths) {
        if (!value->empty() && !is_resolved(*value)) wrong(name, "is not an absolute, resolved path");
    }
    const std::pair<const char*, const std::string*> names[] = {{"user", &variables.user},
                                                                {"session", &variables.session}};
    for (const auto& [name, value] : names) {
        if (!value->empty() && !is_resolved("/" + *value)) wrong(name, "cannot be the name of a file");
        if (value->find('/') != std::string::npos) wrong(name, "has a '/' in it");
    }
}

void warn_of_unknown_agents(const Stack& stack, std::vector<Diagnostic>& warnings) {
    std::set<std::string_view> known{kUnverified};
    for (const auto& layer : stack.layers) {
        for (const auto& placed : layer) {
            for (const auto& [id, agent] : placed.document->agents) known.insert(id);
        }
    }
    const auto check = [&](const Document& document, const auto& rules) {
        for (const auto& rule : rules) {
            for (const auto& agent : rule.agents) {
                if (known.contains(agent)) continue;
                warnings.push_back(
                    {.file = document.file,
                     .at = rule.at,
                     .message = "no document defines the agent \"" + agent + "\" that this rule is for",
                     .hint = "it holds only for sessions that name it",
                     .severity = Severity::warning});
            }
        }
    };
    for (const auto& layer : stack.layers) {
        for (const auto& placed : layer) {
            check(*placed.document, placed.document->files);
            check(*placed.document, placed.document->network);
            check(*placed.document, placed.document->dlp);
        }
    }
}

void warn_of_idle_allows(const Stack& stack, const std::vector<CompiledRule>& rules,
                         std::vector<Diagnostic>& warnings) {
    for (const auto& rule : rules) {
        if (rule.authority == stack.base || rule.verdict != Verdict::allow || rule.state) continue;
        warnings.push_back({.file = rule.file,
                            .at = rule.at,
                            .message = "the rule \"" + rule.id + "\" allows nothing: only the " +
                                       std::string(name_of(stack.base)) + "'s documents can",
                            .hint = rule.authority == Authority::vendor
                                        ? "an organisation's document can extend the vendor's"
                                        : "documents of the " + std::string(name_of(rule.authority)) +
                                              " can only deny and ask",
                            .severity = Severity::warning});
    }
}

Diagnostic too_large(const CompiledRule& rule, const ExpandedPattern* pattern, const std::string& how) {
    std::string message = "the policy becomes too large (" + how + "), and the rule \"" + rule.id + "\"";
    if (pattern != nullptr) message += " with the pattern \"" + pattern->text + "\"";
    return {.file = rule.file,
            .at = pattern != nullptr ? pattern->at : rule.at,
            .message = message + " has the greatest part in that",
            .hint = "use fewer wildcards in it, or a folder in place of many names"};
}

std::size_t length_of(const CompiledRule& rule) {
    std::size_t length = rule.reason.size();
    for (const auto* list : {&rule.paths, &rule.except}) {
        for (const auto& pattern : *list) length += pattern.sequence->steps.size();
    }
    return length;
}

}  // namespace

class Compiler {
  public:
    Compiler(const Stack& stack, const Variables& variables, std::string_view agent_id, const Bounds& bounds)
        : stack_(stack), bounds_(bounds) {
        policy_.variables_ = variables;
        policy_.agent_ = agent_id;
    }

    std::expected<Policy, std::vector<Diagnostic>> compile() {
        std::vector<Diagnostic> found;
        check_variables(policy_.variables_, found);
        policy_.settings_ = merge_settings(stack_, policy_.agent_, found);
        policy_.rules_ = collect_rules(stack_, policy_.variables_, policy_.agent_, found);
        policy_.network_ = collect_network(stack_, policy_.agent_);
        for (const auto& diagnostic : found) {
            (diagnostic.severity == Severity::error ? errors_ : policy_.warnings_).push_back(diagnostic);
        }
        if (errors_.empty()) make_table();
        if (!errors_.empty()) {
            if (errors_.size() > kMaxDiagnostics) errors_.resize(kMaxDiagnostics);
            return std::unexpected(std::move(errors_));
        }
        warn_of_unknown_agents(stack_, policy_.warnings_);
        warn_of_idle_allows(stack_, policy_.rules_, policy_.warnings_);
        if (policy_.warnings_.size() > kMaxDiagnostics) policy_.warnings_.resize(kMaxDiagnostics);
        return std::move(policy_);
    }

  private:
    // The patterns of one part of the automaton, and where each comes from.
    struct Part {
        std::vector<RulePattern> patterns;
        std::vector<const ExpandedPattern*> origins;
    };

    void make_table() {
        std::array<Part, 2> parts;
        std::array<std::vector<bool>, 2> spoken_of;
        for (auto& rules : spoken_of) rules.resize(policy_.rules_.size());
        for (std::uint32_t r = 0; r < policy_.rules_.size(); ++r) {
            const auto& rule = policy_.rules_[r];
            for (const bool except : {false, true}) {
                for (const auto& pattern : except ? rule.except : rule.paths) {
                    const std::size_t p = floats(*pattern.sequence) ? 1 : 0;
                    parts[p].patterns.push_back(
                        {.sequence = pattern.sequence.get(), .rule = r, .except = except});
                    parts[p].origins.push_back(&pattern);
                    spoken_of[p][r] = true;
                }
            }
        }
        TableInput input;
        input.rules = &policy_.rules_;
        for (std::size_t r = 0; r < policy_.rules_.size(); ++r) {
            input.shared.push_back(spoken_of[0][r] && spoken_of[1][r]);
        }
        AutomatonBounds left{.states = std::min(bounds_.states, bounds_.bytes / kBytesOfState),
                             .exceptions = bounds_.bytes / sizeof(std::uint32_t)};
        for (std::size_t p = 0; p < parts.size(); ++p) {
            const auto automaton = build(parts[p], input.shared, left);
            if (!automaton) return fail(parts[p], automaton.error());
            left.states -= automaton->states();
            left.exceptions -= automaton->exceptions.size();
            input.parts[p] = quotient(*automaton, refine(*automaton, automaton->accepted_of));
        }
        write(input);
    }

    std::expected<Automaton, TooLarge> build(const Part& part, const std::vector<bool>& shared,
                                             AutomatonBounds most) const {
        auto exact = most;
        exact.states = std::min(exact.states, bounds_.exact);
        auto automaton = build_automaton(part.patterns, shared, exact);
        if (automaton) return automaton;
        return build_automaton(part.patterns, shared, most, [&](std::uint32_t rule, std::uint32_t other) {
            return makes_idle(rule, other);
        });
    }
    // The rule has no exceptions, so that it goes on to match; it decides by itself; and the other is weaker,
    // or as strict and behind it.
    bool makes_idle(std::uint32_t rule, std::uint32_t other) const {
        const auto& a = policy_.rules_[rule];
        const auto& b = policy_.rules_[other];
        if (!a.except.empty() || (b.actions & ~a.actions) != 0) return false;
        if (a.verdict != Verdict::deny && a.authority != stack_.base) return false;
        const auto of_a = strictness_of(a.verdict, flags_of(a.hidden, a.canary));
        const auto of_b = strictness_of(b.verdict, flags_of(b.hidden, b.canary));
        return of_b < of_a || (of_b == of_a && other > rule);
    }

    void fail(const Part& part, const TooLarge& error) {
        const auto most = std::min(bounds_.states, bounds_.bytes / kBytesOfState);
        const auto& rule = policy_.rules_[part.patterns.empty() ? 0 : part.patterns[error.pattern].rule];
        errors_.push_back(too_large(rule, part.patterns.empty() ? nullptr : part.origins[error.pattern],
                                    "more than " + std::to_string(most) + " states"));
    }

    void write(TableInput& input) {
        for (const auto authority : stack_.order()) input.layers |= 1U << static_cast<unsigned>(authority);
        input.policy_id = stack_.policy_id();
        input.mode = policy_.settings_.mode;
        input.base = stack_.base;
        auto bytes = TableWriter::write(input, bounds_.bytes);
        policy_.words_ = std::move(bytes.words);
        policy_.size_ = bytes.size;
        if (policy_.words_.empty()) {
            const auto longest = std::ranges::max_element(
                policy_.rules_, [](const auto& a, const auto& b) { return length_of(a) < length_of(b); });
            const auto how = "more than " + std::to_string(bounds_.bytes) + " bytes";
            if (longest != policy_.rules_.end()) {
                errors_.push_back(too_large(*longest, nullptr, how));
            } else {
                errors_.push_back({.file = "policy", .at = {}, .message = "too large: " + how, .hint = {}});
            }
            return;
        }
        auto table = Table::open(policy_.table_bytes());
        if (!table) {
            errors_.push_back({.file = "policy",
                               .at = {},
                               .message = "the compiled table does not pass its own check: " + table.error(),
                               .hint = "this is a fault of Reeve's: please report it"});
            return;
        }
        policy_.table_ = *table;
    }

    const Stack& stack_;
    Bounds bounds_;
    Policy policy_;
    std::vector<Diagnostic> errors_;
};

std::vector<std::string> Policy::canaries() const {
    std::vector<std::string> paths;
    for (const auto& rule : rules_) {
        if (!rule.canary) continue;
        for (const auto& pattern : rule.paths) {
            if (pattern.literal && decide(pattern.prefix, FileAction::read).canary)
                paths.push_back(pattern.prefix);
        }
    }
    std::ranges::sort(paths);
    const auto [first, last] = std::ranges::unique(paths);
    paths.erase(first, last);
    return paths;
}

std::expected<Policy, std::vector<Diagnostic>> compile(const std::vector<Layer>& layers,
                                                       const Variables& variables, std::string_view agent_id,
                                                       const Bounds& bounds) {
    const auto stack = arrange(layers);
    if (!stack) return std::unexpected(stack.error());
    auto policy = Compiler(*stack, variables, agent_id, bounds).compile();
    if (!policy) return policy;
    // What was odd about a document when it was read is as odd when it is used.
    for (const Layer& layer : layers)
        policy->warnings_.insert(policy->warnings_.end(), layer.document.warnings.begin(),
                                 layer.document.warnings.end());
    if (policy->warnings_.size() > kMaxDiagnostics) policy->warnings_.resize(kMaxDiagnostics);
    return policy;
}

}  // namespace reeve::policy
