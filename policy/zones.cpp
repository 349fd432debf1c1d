#include "policy/zones.hpp"

#include <algorithm>
#include <array>
#include <map>
#include <optional>
#include <set>

#include "policy/glob.hpp"

namespace reeve::policy {
namespace {

constexpr ActionSet kReading = bit(FileAction::list) | bit(FileAction::read);
constexpr ActionSet kExecuting = bit(FileAction::execute);
constexpr ActionSet kChanging = bit(FileAction::write) | bit(FileAction::create) | bit(FileAction::remove) |
                                bit(FileAction::rename) | bit(FileAction::link) | bit(FileAction::attributes);

constexpr bool all_of(ActionSet actions, ActionSet wanted) {
    return (actions & wanted) == wanted;
}

struct Permissions {
    ActionSet allowed = 0;  // by policy
    ActionSet given = 0;    // by the mount
    unsigned log = 0;
};

// A path of the plan.
struct Node {
    bool zone = false;    // else a mask
    ActionSet below = 0;  // what is given to the names below it
    Permissions permissions;
};

struct Candidate {
    bool tree = false, state = false;
    const ExpandedPattern* pattern = nullptr;
};

// A byte that patterns say as little as possible about: names made of it stand for all names that no rule is
// about.
char common_byte(const std::vector<CompiledRule>& rules) {
    std::array<std::size_t, 256> uses{};
    for (const auto& rule : rules) {
        for (const auto* list : {&rule.paths, &rule.except}) {
            for (const auto& pattern : *list) {
                for (const auto& step : pattern.sequence->steps) {
                    if (step.kind == glob::Step::Kind::byte) ++uses[step.byte];
                    if (step.kind != glob::Step::Kind::set || step.set->count() > 128) continue;
                    for (auto b = step.set->_Find_first(); b < 256; b = step.set->_Find_next(b)) ++uses[b];
                }
            }
        }
    }
    return static_cast<char>(std::min_element(uses.begin() + 1, uses.end()) - uses.begin());
}

bool is_wildcard(const ExpandedPattern& pattern) {
    return !pattern.literal && !pattern.tree;
}

class Planner {
  public:
    Planner(const Policy& policy, const Means& means)
        : policy_(policy),
          means_(means),
          common_(common_byte(policy.rules())),
          base_(policy.rules().empty() ? Authority::vendor : base_of(policy)) {}

    Zones plan() {
        find_candidates();
        for (const auto& [path, candidate] : candidates_) place(path, candidate);
        if (means_.veil) find_veiled();
        for (const auto& rule : policy_.rules()) {
            for (const auto& pattern : rule.paths) {
                if (is_wildcard(pattern)) wildcard_path(rule, pattern);
            }
            for (const auto& pattern : rule.except) {
                if (is_wildcard(pattern)) wildcard_except(rule, pattern);
            }
        }
        return std::move(zones_);
    }

  private:
    static Authority base_of(const Policy& policy) {
        for (const auto& layer : policy.explain("/", FileAction::read).layers) {
            if (layer.base) return layer.authority;
        }
        return Authority::vendor;
    }

    bool is_allowed(Verdict verdict) const {
        return (verdict == Verdict::ask ? means_.ask_is : verdict) == Verdict::allow;
    }
    // What a mount can give: reading alone, or with execution or changes or both; all changes or none, unless the keeper
    // decides on each.
    ActionSet mountable(ActionSet actions) const {
        if (!all_of(actions, kReading)) return 0;
        ActionSet given = kReading;
        if (means_.keeper ? (actions & kChanging) != 0 : all_of(actions, kChanging)) given |= kChanging;
        return given | (actions & kExecuting);
    }
    // Actions that something else than a mount decides on, one by one.
    ActionSet decided_apart() const {
        return static_cast<ActionSet>((means_.keeper ? kChanging : 0) | (means_.keeper_reads ? kReading : 0));
    }
    ActionSet allowed_at(const std::string& path) const {
        ActionSet actions = 0;
        for (unsigned a = 0; a < kFileActions; ++a) {
            const auto action = static_cast<FileAction>(a);
            if (is_allowed(policy_.decide(path, action).verdict)) actions |= bit(action);
        }
        return actions;
    }
    // Names below the directory that no rule knows: what holds for them is what a mount of the tree gives.
    std::array<std::string, 3> probes(const std::string& path) const {
        const std::string name(24, common_);
        const std::string first = (path == "/" ? "" : path) + "/" + name;
        return {first, first + "/" + name, first + "/" + name + "/" + name};
    }

    unsigned log_of(const std::string& path, const std::string& probe, ActionSet given) const {
        std::optional<unsigned> log;
        for (const auto action : {FileAction::read, FileAction::write, FileAction::execute}) {
            if ((given & bit(action)) == 0) continue;
            for (const auto& layer : policy_.explain(probe, action).layers) {
                for (const auto& candidate : layer.rules) {
                    if (candidate.verdict != Verdict::allow || !candidate.log) continue;
                    log = log.value_or(0) | *candidate.log;
                }
            }
        }
        if (log) return *log;
        const auto& variables = policy_.variables();
        const auto is_below = [&](const std::string& top) {
            return !top.empty() && (path == top || path.starts_with(top + "/"));
        };
        const bool persons = is_below(variables.home) || is_below(variables.workspace);
        return persons ? kLogOpens | kLogChanges : kLogExecutions;
    }

    Permissions permissions_of(const std::string& path, bool tree) const {
        Permissions permissions;
        permissions.allowed = allowed_at(path);
        if (tree) {
            // The directory itself has to be seen; changes to it are those to its mount, and mostly fail.
            const ActionSet reading = permissions.allowed & kReading;
            permissions.allowed = (1U << kFileActions) - 1;
            for (const auto& probe : probes(path)) permissions.allowed &= allowed_at(probe);
            permissions.allowed &= static_cast<ActionSet>(~kReading | reading);
        }
        permissions.given = mountable(permissions.allowed);
        if (permissions.given != 0) {
            permissions.log = log_of(path, tree ? probes(path)[0] : path, permissions.given);
        }
        return permissions;
    }

    // The decision that keeps one of `actions` from the object or tree.
    Decision taker(const std::string& path, bool tree, ActionSet actions) const {
        std::vector<std::string> paths{path};
        if (tree) {
            const auto below = probes(path);
            paths.insert(paths.end(), below.begin(), below.end());
        }
        Decision last;
        for (const auto& at : paths) {
            for (unsigned a = 0; a < kFileActions; ++a) {
                const auto action = static_cast<FileAction>(a);
                if ((actions & bit(action)) == 0) continue;
                const auto decision = policy_.decide(at, action);
                if (is_allowed(decision.verdict)) continue;
                last = decision;
                if (decision.decided_by == DecidedBy::rule) return decision;
            }
        }
        return last;
    }

    void find_candidates() {
        for (const auto& rule : policy_.rules()) {
            for (const auto* list : {&rule.paths, &rule.except}) {
                for (const auto& pattern : *list) {
                    if (is_wildcard(pattern)) continue;
                    auto& candidate = candidates_[pattern.prefix];
                    candidate.tree = candidate.tree || pattern.tree;
                    candidate.state = candidate.state || (rule.state && list == &rule.paths);
                    if (candidate.pattern == nullptr) candidate.pattern = &pattern;
                }
            }
        }
    }

    // The zone or mask around a path.
    std::pair<std::string, const Node*> around(std::string_view path) const {
        while (path.size() > 1) {
            const auto slash = path.rfind('/');
            path = path.substr(0, std::max<std::size_t>(slash, 1));
            const auto found = nodes_.find(path);
            if (found != nodes_.end()) return {found->first, &found->second};
        }
        return {"", nullptr};
    }

    void place(const std::string& path, Candidate candidate) {
        if (!is_resolved(path)) return;  // a variable's value made it one that no object has
        auto permissions = permissions_of(path, candidate.tree);
        if (candidate.tree && permissions.given == 0 && mountable(allowed_at(path)) != 0) {
            // The top alone may be read, and nothing below it.
            candidate.tree = false;
            permissions = permissions_of(path, false);
        }
        const auto [within, outer] = around(path);
        const ActionSet outside = outer != nullptr ? outer->below : 0;
        // The keeper takes changes away without a mount.
        if (means_.keeper && permissions.given != 0) permissions.given |= outside & kChanging;
        const bool same_log = outside == 0 || outer->permissions.log == permissions.log;
        const bool same_allowed = outer != nullptr && outer->permissions.allowed == permissions.allowed;
        const auto differ = static_cast<ActionSet>(permissions.given ^ permissions.allowed);
        if ((differ & ~decided_apart()) != 0 && !same_allowed) {
            partly(path, candidate, permissions);
        }
        const bool has_state = candidate.state && permissions.given != 0;
        if (permissions.given == outside && same_log && !has_state) return;
        Node node{.zone = permissions.given != 0,
                  .below = candidate.tree ? permissions.given : ActionSet{0},
                  .permissions = permissions};
        const bool within_writable = (outside & kChanging) != 0;
        if (!node.zone) {
            const auto decision = taker(path, candidate.tree, kReading);
            zones_.masks.push_back({.path = path,
                                    .tree = candidate.tree,
                                    .rule = std::string(decision.rule),
                                    .reason = std::string(decision.reason),
                                    .within = within,
                                    .within_writable = within_writable});
        } else {
            Zone zone{.path = path,
                      .tree = candidate.tree,
                      .writable = (permissions.given & kChanging) != 0,
                      .executable = (permissions.given & kExecuting) != 0,
                      .log = permissions.log,
                      .state = has_state,
                      .rule = std::string(policy_.decide(path, FileAction::read).rule),
                      .within = within,
                      .within_writable = within_writable};
            const auto lost = static_cast<ActionSet>(outside & ~permissions.given);
            zone.tightens = lost != 0;
            if (lost != 0) zone.tightened_by = taker(path, candidate.tree, lost).rule;
            zones_.grants.push_back(std::move(zone));
        }
        nodes_.emplace(path, node);
        own_changes(path, candidate, permissions);
    }

    // Policy allows some of what only goes together in a mount.
    void partly(const std::string& path, const Candidate& candidate, const Permissions& permissions) {
        const auto rest = static_cast<ActionSet>(permissions.allowed & ~permissions.given);
        const std::string reason =
            (permissions.given & kReading) == 0
                ? "what may not be both read and listed cannot be mounted, so nothing of it is there"
                : "a mount allows all changes or none, so that none are possible here";
        for (unsigned a = 0; a < kFileActions; ++a) {
            const auto action = static_cast<FileAction>(a);
            if ((rest & bit(action)) == 0) continue;
            const auto at = candidate.tree ? probes(path)[0] : path;
            report(std::string(policy_.decide(at, action).rule), candidate.pattern->text, reason,
                   Verdict::allow, false);
            return;
        }
    }
    // The top of a writable tree that itself must not change: its attributes can.
    void own_changes(const std::string& path, const Candidate& candidate, const Permissions& permissions) {
        if (means_.keeper || !candidate.tree || (permissions.given & kChanging) == 0) return;
        if (all_of(allowed_at(path), kChanging)) return;
        report(std::string(taker(path, false, kChanging).rule), candidate.pattern->text,
               "the attributes of the top of a writable tree cannot be kept from changing", Verdict::deny,
               true);
    }

    void report(const std::string& rule, const std::string& pattern, const std::string& reason,
                Verdict verdict, bool widens) {
        if (!reported_.insert({rule, pattern, widens}).second) return;
        zones_.unenforced.push_back(
            {.rule = rule, .pattern = pattern, .reason = reason, .verdict = verdict, .widens = widens});
    }

    // A zone that gives some of `actions` to names that the pattern matches.
    const std::string* reached_zone(const ExpandedPattern& pattern, ActionSet actions,
                                    const CompiledRule& rule, bool mind_except) const {
        const std::string* reached = nullptr;
        for (const auto& [path, node] : nodes_) {
            if ((node.below & actions) == 0) continue;
            // The workspace is what people know best.
            if (reached != nullptr && path != policy_.variables().workspace) continue;
            if (!pattern.matches(path) && !pattern.can_match_below(path)) continue;
            const bool excepted =
                mind_except && std::ranges::any_of(rule.except, [&](const ExpandedPattern& except) {
                    return except.tree && except.matches(path);
                });
            if (!excepted) reached = &path;
        }
        return reached;
    }

    // The home, and what is asked about elsewhere: an ask about what is absent would never come.
    void find_veiled() {
        std::set<std::string> veiled{policy_.variables().home};
        for (const auto& [path, candidate] : candidates_) {
            const bool inside =
                is_veiled(path, veiled) || nodes_.contains(path) || around(path).second != nullptr;
            if (candidate.tree && !inside && is_resolved(path) && path != "/" &&
                policy_.decide(path, FileAction::read).verdict == Verdict::ask)
                veiled.insert(path);
        }
        zones_.veiled.assign(veiled.begin(), veiled.end());
    }
    static bool is_veiled(std::string_view path, const auto& veiled) {
        return std::ranges::any_of(veiled, [&](const std::string& top) {
            return path.starts_with(top) && (path.size() == top.size() || path[top.size()] == '/');
        });
    }
    // Names of the pattern are the veil's to show.
    bool is_served(const ExpandedPattern& pattern) const {
        const std::string top = pattern.prefix.substr(0, pattern.prefix.rfind('/'));
        return is_veiled(top, zones_.veiled) && !nodes_.contains(top) && around(top).second == nullptr;
    }

    void wildcard_path(const CompiledRule& rule, const ExpandedPattern& pattern) {
        if (is_allowed(rule.verdict)) {
            if (rule.authority == base_ && !is_served(pattern) && !is_given(pattern)) {
                report(rule.id, pattern.text,
                       "a mount cannot show only the names that match a pattern, so they are absent",
                       rule.verdict, false);
            }
            return;
        }
        const auto actions = static_cast<ActionSet>(rule.actions & ~decided_apart());
        const auto* zone = reached_zone(pattern, actions, rule, true);
        if (zone == nullptr) return;
        report(rule.id, pattern.text,
               "a mount cannot take away names that match a pattern, and " + *zone +
                   " has or can get such names" + but_for_changes(rule),
               rule.verdict, true);
    }
    std::string but_for_changes(const CompiledRule& rule) const {
        return means_.keeper && (rule.actions & kChanging) != 0 ? " (changes to them are denied)" : "";
    }

    void wildcard_except(const CompiledRule& rule, const ExpandedPattern& pattern) {
        if (!is_allowed(rule.verdict)) {
            if (!is_served(pattern) && !is_given(pattern)) {
                report(rule.id, pattern.text,
                       "a mount cannot leave out names that match a pattern, so they are denied as well",
                       rule.verdict, false);
            }
            return;
        }
        if (rule.authority != base_) return;
        const auto actions = static_cast<ActionSet>(rule.actions & ~decided_apart());
        const auto* zone = reached_zone(pattern, actions, rule, false);
        if (zone == nullptr || is_allowed_otherwise(*zone, rule)) return;
        report(rule.id, pattern.text,
               "a mount cannot leave out names that match a pattern, and " + *zone +
                   " has or can get such names" + but_for_changes(rule),
               Verdict::deny, true);
    }
    bool is_allowed_otherwise(const std::string& zone, const CompiledRule& but) const {
        return std::ranges::any_of(policy_.rules(), [&](const CompiledRule& rule) {
            const auto covers = [&](const ExpandedPattern& pattern) {
                return pattern.tree && pattern.matches(zone);
            };
            return &rule != &but && rule.authority == base_ && is_allowed(rule.verdict) &&
                   all_of(rule.actions, but.actions) && rule.except.empty() &&
                   std::ranges::any_of(rule.paths, covers);
        });
    }

    // Whether the plan gives what policy allows at a path that stands for all that the pattern matches.
    bool is_given(const ExpandedPattern& pattern) const {
        std::string path;
        for (const auto& step : pattern.sequence->steps) {
            if (step.kind == glob::Step::Kind::byte) path += static_cast<char>(step.byte);
            if (step.kind != glob::Step::Kind::set) continue;
            const auto common = static_cast<unsigned char>(common_);
            path += step.set->test(common) ? common_ : static_cast<char>(step.set->_Find_first());
        }
        if (!is_resolved(path)) return true;
        const auto allowed = allowed_at(path);
        const auto own = nodes_.find(path);
        const auto [within, outer] = around(path);
        ActionSet given = outer != nullptr ? outer->below : ActionSet{0};
        if (own != nodes_.end()) given = own->second.permissions.given;
        return all_of(given, allowed);
    }

    const Policy& policy_;
    Means means_;
    char common_;
    Authority base_;
    std::map<std::string, Candidate> candidates_;
    std::map<std::string, Node, std::less<>> nodes_;
    std::set<std::tuple<std::string, std::string, bool>> reported_;
    Zones zones_;
};

}  // namespace

Zones plan_zones(const Policy& policy, const Means& means) {
    return Planner(policy, means).plan();
}

}  // namespace reeve::policy
