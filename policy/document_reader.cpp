#include "policy/document_reader.hpp"

#include <algorithm>
#include <cassert>

#include "policy/number_text.hpp"
#include "policy/utf8.hpp"

namespace reeve::policy {

ObjectReader::ObjectReader(const JsonNode& node, const ObjectKind& kind, Report& report)
    : node_(node), kind_(kind), report_(report) {
    if (!is_object()) {
        wrong_kind(node, std::string(kind.name) + " in { }", report);
        return;
    }
    for (const auto& item : node.items) {
        if (report.full()) return;
        if (std::ranges::find(kind.keys, item.key) != kind.keys.end()) continue;
        report.error(item.key_at, "unknown key " + in_quotes(item.key) + " in " + std::string(kind.name),
                     suggestion(item.key, kind.keys));
    }
}

const JsonNode* ObjectReader::find(std::string_view key) const {
    assert(std::ranges::find(kind_.keys, key) != kind_.keys.end());
    if (!is_object()) return nullptr;
    const auto item = std::ranges::find(node_.items, key, &JsonNode::key);
    return item == node_.items.end() ? nullptr : &*item;
}

const JsonNode* ObjectReader::require(std::string_view key) const {
    const auto* item = find(key);
    if (item == nullptr && is_object()) {
        report_.error(node_.at, std::string(kind_.name) + " needs the key " + in_quotes(key));
    }
    return item;
}

void wrong_kind(const JsonNode& node, std::string_view expected, Report& report) {
    report.error(node.at, (node.key.empty() ? "" : in_quotes(node.key) + ": ") + "expected " +
                              std::string(expected) + ", found " + std::string(kind_name(node.kind)));
}

bool is_text(const JsonNode& node, std::string_view expected, Report& report) {
    if (node.kind == JsonNode::Kind::string) return true;
    wrong_kind(node, expected, report);
    return false;
}

std::optional<std::string> read_text(const JsonNode* node, std::size_t most, Report& report) {
    if (node == nullptr || !is_text(*node, "a text", report)) return std::nullopt;
    if (node->text.empty()) {
        report.error(node->at, "this text is empty", "leave the key out if it is not wanted");
        return std::nullopt;
    }
    if (count_characters(node->text) > most) {
        report.error(node->at, "this text has more than " + std::to_string(most) + " characters");
        return std::nullopt;
    }
    const auto is_control = [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7F; };
    if (std::ranges::any_of(node->text, is_control)) {
        report.error(node->at, "control characters cannot stand in " + in_quotes(node->text),
                     "write it on one line");
        return std::nullopt;
    }
    return node->text;
}

std::optional<bool> read_truth(const JsonNode* node, Report& report) {
    if (node == nullptr) return std::nullopt;
    if (node->kind == JsonNode::Kind::boolean) return node->truth;
    wrong_kind(*node, "true or false", report);
    return std::nullopt;
}

std::optional<std::uint64_t> read_count(const JsonNode* node, std::uint64_t least, std::uint64_t most,
                                        Report& report) {
    if (node == nullptr) return std::nullopt;
    const std::string expected =
        "a whole number from " + std::to_string(least) + " to " + std::to_string(most);
    if (node->kind != JsonNode::Kind::number) {
        wrong_kind(*node, expected, report);
        return std::nullopt;
    }
    const auto value = number_of<std::uint64_t>(node->text);
    if (!value || *value < least || *value > most) {
        report.error(node->at, "expected " + expected + ", found " + in_quotes(node->text));
        return std::nullopt;
    }
    return value;
}

bool check_name(std::string_view text, Position at, std::string_view what, Report& report) {
    const auto is_word = [](char c) {
        return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
    };
    const bool good =
        !text.empty() && text.size() <= 64 && is_word(text[0]) &&
        std::ranges::all_of(text, [&](char c) { return is_word(c) || c == '.' || c == '_' || c == '-'; });
    if (!good) {
        report.error(at, in_quotes(text) + " cannot be " + std::string(what),
                     "use up to 64 letters, digits, \"-\", \"_\" and \".\", with a letter or digit first");
    }
    return good;
}

void read_list(const JsonNode* node, std::size_t most, bool may_be_empty, Report& report,
               const std::function<void(const JsonNode&)>& item) {
    if (node == nullptr) return;
    if (node->kind != JsonNode::Kind::array) {
        wrong_kind(*node, "a list in [ ]", report);
        return;
    }
    if (node->items.empty() && !may_be_empty) {
        report.error(node->at,
                     (node->key.empty() ? "this list" : in_quotes(node->key)) + std::string(" is empty"),
                     "leave the key out, or name something");
    }
    if (node->items.size() > most) {
        report.error(node->at, (node->key.empty() ? "this list" : in_quotes(node->key)) +
                                   std::string(" has ") + std::to_string(node->items.size()) +
                                   " entries, more than " + std::to_string(most));
        return;
    }
    for (const auto& entry : node->items) item(entry);
}

std::vector<std::string> read_texts(const JsonNode* node, std::size_t most, bool may_be_empty, Report& report,
                                    const std::function<bool(const JsonNode&)>& check) {
    std::vector<std::string> texts;
    std::set<std::string_view> seen;
    read_list(node, most, may_be_empty, report, [&](const JsonNode& entry) {
        if (!is_text(entry, "a text", report) || !check(entry)) return;
        if (!seen.insert(entry.text).second) {
            report.error(entry.at, in_quotes(entry.text) + " is in this list twice", "remove one");
        }
        texts.push_back(entry.text);
    });
    return texts;
}

std::optional<std::pair<Verdict, const JsonNode*>> read_verdict(const ObjectReader& object,
                                                                const std::vector<Verdict>& may_be,
                                                                Report& report) {
    std::optional<std::pair<Verdict, const JsonNode*>> found;
    std::string names;
    for (const Verdict verdict : may_be) {
        names += (names.empty() ? "" : ", ") + in_quotes(name_of(verdict));
        const auto* node = object.find(name_of(verdict));
        if (node == nullptr) continue;
        if (found) {
            report.error(node->key_at,
                         "this rule has both " + in_quotes(name_of(found->first)) + " and " +
                             in_quotes(name_of(verdict)),
                         "make two rules of it");
            return std::nullopt;
        }
        found = {verdict, node};
    }
    if (!found && object.is_object()) {
        report.error(object.at(), "this rule decides nothing", "it needs one of " + names);
    }
    return found;
}

std::string RuleIds::read(const JsonNode* node, Report& report) {
    const auto id = read_text(node, 128, report);
    if (!id) return "";
    // Such names are those of rules without an id, of this document or of another.
    const auto slash = id->rfind('/');
    const auto digits = slash == std::string::npos ? "" : std::string_view(*id).substr(slash + 1);
    const bool is_number =
        !digits.empty() && std::ranges::all_of(digits, [](char c) { return c >= '0' && c <= '9'; });
    const auto before = std::string_view(*id).substr(0, slash == std::string::npos ? 0 : slash);
    if (is_number &&
        (before.ends_with("/files") || before.ends_with("/network") || before.ends_with("/dlp"))) {
        report.error(node->at,
                     "the id " + in_quotes(*id) + " has the form of those that rules without an id get",
                     "give it a name that says what the rule is for, or leave it out");
        return "";
    }
    const auto [first, is_new] = lines_.emplace(*id, node->at.line);
    if (!is_new) {
        report.error(node->at, "another rule has the id " + in_quotes(*id) + " already",
                     "that one is in line " + std::to_string(first->second));
    }
    return *id;
}

std::vector<std::string> read_rule_agents(const JsonNode* node, Report& report) {
    return read_texts(node, 1000, false, report, [&](const JsonNode& entry) {
        return check_name(entry.text, entry.at, "an agent's id", report);
    });
}

std::string read_reason(const JsonNode* node, Report& report) {
    return read_text(node, 500, report).value_or("");
}

std::string read_label(const JsonNode* node, Report& report) {
    if (node == nullptr || !is_text(*node, "a label", report)) return "";
    return check_name(node->text, node->at, "a label", report) ? node->text : "";
}

}  // namespace reeve::policy
