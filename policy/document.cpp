#include "policy/document.hpp"

#include <algorithm>
#include <array>
#include <utility>

#include "policy/document_reader.hpp"

namespace reeve::policy {
namespace {

constexpr std::string_view kSchema = "reeve.policy/1";
constexpr std::size_t kMaxNodes = 250'000;               // a node takes some 150 bytes
constexpr std::uint64_t kMaxVersion = (1ULL << 53) - 1;  // what every JSON library keeps exactly

constexpr std::array<std::string_view, kFileActions> kActionNames{
    "list", "read", "write", "create", "delete", "rename", "link", "execute", "attributes"};

// Whether this is a document that this parser knows at all: else, whatever it would say is noise.
bool check_schema(const JsonNode& tree, Report& report) {
    const std::string hint = "start with {\"schema\": " + in_quotes(kSchema) + ", \"id\": …";
    if (tree.kind != JsonNode::Kind::object) {
        report.error(tree.at, "expected a policy in { }, found " + std::string(kind_name(tree.kind)), hint);
        return false;
    }
    const auto node = std::ranges::find(tree.items, "schema", &JsonNode::key);
    if (node == tree.items.end()) {
        report.error(tree.at, "a policy needs the key \"schema\"", hint);
        return false;
    }
    if (!is_text(*node, in_quotes(kSchema), report)) return false;
    if (node->text == kSchema) return true;
    report.error(node->at, "expected " + in_quotes(kSchema) + ", found " + in_quotes(node->text),
                 node->text.starts_with("reeve.policy/") ? "this version of Reeve reads no other" : "");
    return false;
}

void read_header(const ObjectReader& root, Document& document, Report& report) {
    const auto* id = root.require("id");
    if (id != nullptr && is_text(*id, "the document's id", report) &&
        check_name(id->text, id->at, "a document's id", report)) {
        document.id = id->text;
    }
    document.version = read_count(root.find("version"), 1, kMaxVersion, report).value_or(1);
    document.extends = read_texts(root.find("extends"), 16, true, report, [&](const JsonNode& name) {
        return check_name(name.text, name.at, "a document's id", report);
    });
    for (const auto& name : document.extends) {
        if (name != document.id) continue;
        report.error(root.find("extends")->at, in_quotes(name) + " cannot extend itself",
                     "name the document whose rules this one adds to");
    }
    document.expires = read_time(root.find("expires"), report);
    document.mode =
        read_word<Mode>(root.find("mode"), {{"enforce", Mode::enforce}, {"observe", Mode::observe}}, report);
    document.unenforceable = read_word<Unenforceable>(
        root.find("unenforceable"), {{"refuse", Unenforceable::refuse}, {"degrade", Unenforceable::degrade}},
        report);
}

}  // namespace

std::string_view name_of(FileAction action) {
    return kActionNames.at(static_cast<std::size_t>(action));
}

std::optional<FileAction> file_action(std::string_view name) {
    for (std::size_t i = 0; i < kActionNames.size(); ++i) {
        if (kActionNames[i] == name) return static_cast<FileAction>(i);
    }
    return std::nullopt;
}

std::string_view name_of(Verdict verdict) {
    switch (verdict) {
        case Verdict::allow:
            return "allow";
        case Verdict::ask:
            return "ask";
        case Verdict::deny:
            return "deny";
    }
    return "deny";
}

std::expected<Document, std::vector<Diagnostic>> parse_document(std::string_view text,
                                                                const std::string& file_name) {
    Report report(file_name);
    const auto tree = read_json(text, {kMaxDocumentBytes, kMaxDepth, kMaxNodes}, report);
    if (!tree) return std::unexpected(report.errors());
    if (!check_schema(*tree, report)) return std::unexpected(report.errors());
    const ObjectReader root(*tree, kinds::document, report);

    Document document;
    document.file = file_name;
    RuleIds ids;
    read_header(root, document, report);
    read_agents(root.find("agents"), document, report);
    read_files(root.find("files"), document, ids, report);
    read_network(root.find("network"), document, ids, report);
    read_dlp(root.find("dlp"), document, ids, report);
    read_posture(root.find("posture"), document, report);
    read_brokers(root.find("brokers"), document, report);
    read_consent(root.find("consent"), document, report);
    read_limits(root.find("limits"), document, report);
    read_audit(root.find("audit"), document, report);
    read_rollout(root.find("rollout"), document, report);
    if (report.failed()) return std::unexpected(report.errors());
    warn_of_shadowed(document, report);
    document.warnings = report.warnings();
    return document;
}

}  // namespace reeve::policy
