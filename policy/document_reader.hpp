// The steps that reading a document is made of: values of a wanted kind, or a diagnostic. Internal to the
// document's own files.
#pragma once

#include <chrono>
#include <functional>
#include <initializer_list>
#include <map>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "policy/document.hpp"
#include "policy/json_reader.hpp"

namespace reeve::policy {

// A kind of object: its definition in the schema, what people call it, and the keys that it knows.
struct ObjectKind {
    std::string_view definition;
    std::string_view name;  // "a file rule"
    std::vector<std::string_view> keys;
};

namespace kinds {
extern const ObjectKind document, agent, trust, anchor, file_rule, network_rule, network_target, dlp_rule,
    dlp_when, dlp_target, posture, broker, consent, limits, audit, rollout;
}  // namespace kinds

// Looks at a node as an object of a kind: what is no object and what it does not know is reported.
class ObjectReader {
  public:
    ObjectReader(const JsonNode& node, const ObjectKind& kind, Report& report);
    // Nothing if the object has no such key. `key` must be one of the kind's.
    const JsonNode* find(std::string_view key) const;
    // As find(), but its absence is reported.
    const JsonNode* require(std::string_view key) const;
    Position at() const { return node_.at; }
    bool is_object() const { return node_.kind == JsonNode::Kind::object; }

  private:
    const JsonNode& node_;
    const ObjectKind& kind_;
    Report& report_;
};

// Each gives nothing (or false) after it has reported what was wrong. A null pointer is a key that is not there, and no
// fault.
void wrong_kind(const JsonNode& node, std::string_view expected, Report& report);
bool is_text(const JsonNode& node, std::string_view expected, Report& report);
// A text of 1 to `most` characters without control characters.
std::optional<std::string> read_text(const JsonNode* node, std::size_t most, Report& report);
std::optional<bool> read_truth(const JsonNode* node, Report& report);
std::optional<std::uint64_t> read_count(const JsonNode* node, std::uint64_t least, std::uint64_t most,
                                        Report& report);
// "90s", "5m", "12h", "30d", "2w": more than nothing, at most 100 years.
std::optional<std::chrono::seconds> read_duration(const JsonNode* node, Report& report);
// "512M", "4G": bytes, or K, M, G, T of 1024 each; at most 2^53.
std::optional<std::uint64_t> read_size(const JsonNode* node, Report& report);
// RFC 3339, as seconds since 1970.
std::optional<std::int64_t> read_time(const JsonNode* node, Report& report);
// Letters, digits and "._-", not starting with one of those signs; at most 64. `what` is "an agent's id".
bool check_name(std::string_view text, Position at, std::string_view what, Report& report);

// The items of a list of at most `most`; none at all is reported unless `may_be_empty`. `item` is called for
// each.
void read_list(const JsonNode* node, std::size_t most, bool may_be_empty, Report& report,
               const std::function<void(const JsonNode&)>& item);
// A list of texts without duplicates that each pass `check` (which reports).
std::vector<std::string> read_texts(const JsonNode* node, std::size_t most, bool may_be_empty, Report& report,
                                    const std::function<bool(const JsonNode&)>& check);

template <typename Value>
using Words = std::initializer_list<std::pair<std::string_view, Value>>;

// One of some words.
template <typename Value>
std::optional<Value> read_word(const JsonNode* node, Words<Value> words, Report& report) {
    if (node == nullptr) return std::nullopt;
    std::vector<std::string_view> names;
    for (const auto& [name, value] : words) {
        if (node->kind == JsonNode::Kind::string && node->text == name) return value;
        names.push_back(name);
    }
    if (node->kind != JsonNode::Kind::string) {
        std::string all;
        for (const auto name : names) all += (all.empty() ? "" : " or ") + in_quotes(name);
        wrong_kind(*node, all, report);
    } else {
        report.error(node->at, in_quotes(node->text) + " is not known here", suggestion(node->text, names));
    }
    return std::nullopt;
}

// What a path pattern may name.
enum class VariableSet : std::uint8_t { none, person, session };  // person: ${home} and ${user} alone

// The syntax of patterns (FORMATS). Says what is wrong, and what to do; nothing if it is in order. `text` is
// UTF-8. A path pattern is absolute, or starts with `**` or with a variable that is a path.
struct PatternFault {
    std::string message, hint;
};
std::optional<PatternFault> check_path_pattern(std::string_view text, VariableSet variables);
std::optional<PatternFault> check_resource_pattern(std::string_view text);
std::vector<PatternText> read_patterns(const JsonNode* node, bool may_be_empty, VariableSet variables,
                                       Report& report);

// Verdicts that an object may have, in order of strictness, and what stands under the one that it has. None or
// several are reported.
std::optional<std::pair<Verdict, const JsonNode*>> read_verdict(const ObjectReader& object,
                                                                const std::vector<Verdict>& may_be,
                                                                Report& report);

// Ids of rules, which are unique in a document.
class RuleIds {
  public:
    std::string read(const JsonNode* node, Report& report);

  private:
    std::map<std::string, std::uint32_t> lines_;
};

// What all kinds of rules have in common.
std::vector<std::string> read_rule_agents(const JsonNode* node, Report& report);
std::string read_reason(const JsonNode* node, Report& report);
std::string read_label(const JsonNode* node, Report& report);

// The sections. Each takes the section's node, which may be missing.
void read_agents(const JsonNode* node, Document& document, Report& report);
void read_files(const JsonNode* node, Document& document, RuleIds& ids, Report& report);
void read_network(const JsonNode* node, Document& document, RuleIds& ids, Report& report);
void read_dlp(const JsonNode* node, Document& document, RuleIds& ids, Report& report);
void read_posture(const JsonNode* node, Document& document, Report& report);
void read_brokers(const JsonNode* node, Document& document, Report& report);
void read_consent(const JsonNode* node, Document& document, Report& report);
void read_limits(const JsonNode* node, Document& document, Report& report);
void read_audit(const JsonNode* node, Document& document, Report& report);
void read_rollout(const JsonNode* node, Document& document, Report& report);

// What is in order and yet hardly meant.
void warn_of_shadowed(const Document& document, Report& report);

}  // namespace reeve::policy
