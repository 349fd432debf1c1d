// Layers of documents in, one policy out: the automaton's bytes and the merged settings of one agent's
// session.
#pragma once

#include <cstddef>
#include <expected>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "policy/layers.hpp"
#include "policy/network.hpp"
#include "policy/table.hpp"

namespace reeve::policy {

// The agent of a COMMAND that belongs to no agent of the policy.
inline constexpr std::string_view kUnverified = "unverified";

// What all layers ask for together: each value is the strictest that any layer names, and where the base
// layer names none, its default is the strict one.
struct Settings {
    Mode mode = Mode::enforce;
    Unenforceable unenforceable = Unenforceable::refuse;
    std::optional<std::int64_t> expires;  // the first of all documents, seconds since 1970
    Limits limits;
    Consent consent;
    AuditSettings audit;
    Posture posture;
    // Resources must match one pattern of each inner list.
    struct BrokerSettings {
        Broker broker;
        std::vector<std::vector<std::string>> resources;
    };
    std::map<std::string, BrokerSettings> brokers;
    std::vector<DlpRule> dlp;
    std::vector<std::string> environment;  // what the agent's definitions hand through
    std::vector<TrustAnchor> trust;        // of the agent, of the highest layer that defines it
};

namespace glob {
struct Sequence;
}

// A path pattern after variables and alternatives are expanded, for those who turn rules into something else
// (zones).
struct ExpandedPattern {
    std::string text;  // as written
    Position at;
    bool literal = false;  // `prefix` is the whole path
    bool tree = false;     // `prefix` and all below it
    std::string prefix;  // the literal bytes before the first wildcard; no final slash where literal or tree
    std::shared_ptr<const glob::Sequence> sequence;

    bool matches(std::string_view path) const;
    // Whether some path below the directory `path` (not itself) can match.
    bool can_match_below(std::string_view path) const;
};

struct CompiledRule {
    std::string id;
    Authority authority = Authority::vendor;  // the layer that it counts in
    Verdict verdict = Verdict::deny;
    ActionSet actions = 0, named = 0;
    std::vector<ExpandedPattern> paths, except;
    std::optional<unsigned> log;
    bool state = false;                   // made from an agent's `state`: it is the caller's to create
    bool hidden = false, canary = false;  // as FileRule has them
    std::string reason, label, file;
    Position at;
};

struct Bounds {
    std::size_t states = 500'000;
    std::size_t bytes = kMaxTableBytes;
    // States of one part of the automaton from which on explain() leaves out runners-up that cannot win
    // wherever another rule is about a whole tree. Decisions are the same.
    std::size_t exact = 50'000;
};

// Immutable once compiled; may be shared between threads.
class Policy {
  public:
    std::span<const std::byte> table_bytes() const {
        return {reinterpret_cast<const std::byte*>(words_.data()), size_};
    }
    const Table& table() const { return table_; }
    const Settings& settings() const { return settings_; }
    const NetworkPolicy& network() const { return network_; }
    const std::vector<CompiledRule>& rules() const { return rules_; }
    const std::vector<Diagnostic>& warnings() const { return warnings_; }
    const Variables& variables() const { return variables_; }
    std::string_view agent() const { return agent_; }
    std::string_view policy_id() const { return table_.policy_id(); }
    // The paths at which a canary is what decides about reading, sorted. O(paths of rules with `canary`).
    std::vector<std::string> canaries() const;

    Decision decide(std::string_view path, FileAction action) const { return table_.decide(path, action); }
    Explanation explain(std::string_view path, FileAction action) const {
        return table_.explain(path, action);
    }
    NetworkDecision decide_host(std::string_view host, std::uint16_t port) const {
        return network_.decide_host(host, port);
    }

    Policy(Policy&&) = default;
    Policy& operator=(Policy&&) = default;

  private:
    friend class Compiler;
    friend std::expected<Policy, std::vector<Diagnostic>> compile(const std::vector<Layer>& layers,
                                                                  const Variables& variables,
                                                                  std::string_view agent_id,
                                                                  const Bounds& bounds);
    Policy() = default;

    std::vector<std::uint64_t> words_;  // the table's bytes; its heap block does not move with the Policy
    std::size_t size_ = 0;
    Table table_;
    Settings settings_;
    NetworkPolicy network_;
    std::vector<CompiledRule> rules_;
    std::vector<Diagnostic> warnings_;
    Variables variables_;
    std::string agent_;
};

// The order of `layers` has no influence on any decision. Rules for other agents than `agent_id` are left
// out.
std::expected<Policy, std::vector<Diagnostic>> compile(const std::vector<Layer>& layers,
                                                       const Variables& variables, std::string_view agent_id,
                                                       const Bounds& bounds = {});

// The agents whose `executables` match the resolved path (in every layer that defines them), in order of
// name. None: it runs as kUnverified. Patterns here may use ${home} and ${user}. A match is a claim until
// `trust` has been checked.
std::vector<std::string> agents_of(const std::vector<Layer>& layers, const Variables& variables,
                                   std::string_view executable);
// As agents_of(), for one agent: a name given by --agent.
bool agent_matches(const std::vector<Layer>& layers, const Variables& variables, std::string_view agent_id,
                   std::string_view executable);

// Whether the resolved directory may be the agent's workspace: below or at none of "/", the home itself or
// above it, and matched by the agent's `workspaces` in every layer that gives some. The error says why not.
std::expected<void, std::string> check_workspace(const std::vector<Layer>& layers, const Variables& variables,
                                                 std::string_view agent_id, std::string_view workspace);

}  // namespace reeve::policy
