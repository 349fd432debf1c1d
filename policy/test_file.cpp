#include "policy/test_file.hpp"

#include <algorithm>

#include "policy/document_reader.hpp"

namespace reeve::policy {
namespace {

constexpr std::size_t kMaxNodes = 500'000;
constexpr std::size_t kMaxLayers = 100;
constexpr std::size_t kMaxAccesses = 50'000;
constexpr std::size_t kMaxPathBytes = 4096;

const ObjectKind kTestFile{"test", "a policy test", {"schema", "agent", "variables", "layers", "accesses"}};
const ObjectKind kVariables{"variables", "the variables", {"home", "workspace", "user", "session", "tmp"}};
const ObjectKind kLayer{"layer", "a layer", {"authority", "file"}};
const ObjectKind kAccess{
    "access", "an access", {"action", "path", "host", "port", "address", "expect", "rule"}};

const Words<Verdict> kVerdicts{{"allow", Verdict::allow}, {"ask", Verdict::ask}, {"deny", Verdict::deny}};
const Words<Authority> kAuthorityWords{{"vendor", Authority::vendor},
                                       {"organisation", Authority::organisation},
                                       {"device", Authority::device},
                                       {"user", Authority::user},
                                       {"run", Authority::run}};

// One entry of "accesses": a file action with a path, or "connect".
struct Access {
    std::optional<FileAction> action;
    std::string resource;  // path or host
    std::uint16_t port = 0;
    std::optional<Address> address;
    AccessResult result;  // what is known before it is decided
};

struct TestFile {
    std::string agent{kUnverified};
    Variables variables;
    struct LayerName {
        std::optional<Authority> authority;
        std::string file;
        Position at;
    };
    std::vector<LayerName> layers;
    std::vector<Access> accesses;
};

void read_variables(const JsonNode* node, Variables& variables, Report& report) {
    if (node == nullptr) return;
    const ObjectReader object(*node, kVariables, report);
    const auto read = [&](const char* name, std::string& value) {
        value = read_text(object.find(name), kMaxPathBytes, report).value_or("");
    };
    read("home", variables.home);
    read("workspace", variables.workspace);
    read("user", variables.user);
    read("session", variables.session);
    read("tmp", variables.tmp);
}

TestFile::LayerName read_layer(const JsonNode& node, Report& report) {
    TestFile::LayerName layer{.authority = {}, .file = {}, .at = node.at};
    if (node.kind == JsonNode::Kind::string) {
        layer.file = read_text(&node, kMaxPathBytes, report).value_or("");
        return layer;
    }
    const ObjectReader object(node, kLayer, report);
    layer.authority = read_word(object.require("authority"), kAuthorityWords, report);
    layer.file = read_text(object.require("file"), kMaxPathBytes, report).value_or("");
    return layer;
}

void read_connection(const ObjectReader& object, Access& access, Report& report) {
    access.resource = read_text(object.require("host"), 255, report).value_or("");
    access.port =
        static_cast<std::uint16_t>(read_count(object.require("port"), 1, 65535, report).value_or(0));
    access.result.resource = access.resource + ":" + std::to_string(access.port);
    if (const auto* path = object.find("path")) {
        report.error(path->key_at, "\"path\" stands in a connection", "name the \"host\" and the \"port\"");
    }
    const auto* node = object.find("address");
    const auto text = read_text(node, 64, report);
    if (!text) return;
    access.address = parse_address(*text);
    if (!access.address) report.error(node->at, in_quotes(*text) + " is not an IP address");
}

Access read_access(const JsonNode& node, Report& report) {
    const ObjectReader object(node, kAccess, report);
    Access access;
    access.result.at = node.at;
    const auto* action = object.require("action");
    access.result.action = read_text(action, 64, report).value_or("");
    if (access.result.action == "connect") {
        read_connection(object, access, report);
    } else {
        access.action = file_action(access.result.action);
        if (!access.action && !access.result.action.empty()) {
            std::vector<std::string_view> names{"connect"};
            for (std::size_t i = 0; i < kFileActions; ++i) {
                names.push_back(name_of(static_cast<FileAction>(i)));
            }
            report.error(action->at, "unknown action " + in_quotes(access.result.action),
                         suggestion(access.result.action, names));
        }
        access.resource = read_text(object.require("path"), kMaxPathBytes, report).value_or("");
        access.result.resource = access.resource;
    }
    if (const auto expected = read_word(object.require("expect"), kVerdicts, report)) {
        access.result.expected = *expected;
    }
    access.result.expected_rule = read_text(object.find("rule"), 256, report).value_or("");
    return access;
}

TestFile read_test_file(const JsonNode& tree, Report& report) {
    const ObjectReader root(tree, kTestFile, report);
    TestFile test;
    read_word<bool>(root.require("schema"), {{"reeve.policy-test/1", true}}, report);
    if (const auto agent = read_text(root.find("agent"), 64, report)) test.agent = *agent;
    read_variables(root.find("variables"), test.variables, report);
    read_list(root.require("layers"), kMaxLayers, false, report,
              [&](const JsonNode& entry) { test.layers.push_back(read_layer(entry, report)); });
    read_list(root.require("accesses"), kMaxAccesses, false, report,
              [&](const JsonNode& entry) { test.accesses.push_back(read_access(entry, report)); });
    return test;
}

std::vector<Layer> load(const TestFile& test, const ReadFile& read_file, Report& report,
                        std::vector<Diagnostic>& of_layers) {
    std::vector<Layer> layers;
    for (const auto& name : test.layers) {
        const auto text = read_file(name.file);
        if (!text) {
            report.error(name.at, "cannot read the layer " + in_quotes(name.file) + ": " + text.error(),
                         "names are relative to the test file's folder");
            continue;
        }
        auto document = parse_document(*text, name.file);
        if (!document) {
            of_layers.insert(of_layers.end(), document.error().begin(), document.error().end());
            continue;
        }
        const auto by_id = document->id == "vendor" ? Authority::vendor : Authority::organisation;
        layers.push_back({.authority = name.authority.value_or(by_id), .document = std::move(*document)});
    }
    return layers;
}

AccessResult decide(const Policy& policy, const Access& access) {
    AccessResult result = access.result;
    if (access.action) {
        const auto decision = policy.decide(access.resource, *access.action);
        result.actual = decision.verdict;
        result.actual_rule = decision.rule;
        result.reason = decision.reason;
    } else {
        const auto decision = access.address ? policy.network().decide_address(access.resource, access.port,
                                                                               *access.address, {})
                                             : policy.decide_host(access.resource, access.port);
        result.actual = decision.verdict;
        result.actual_rule = decision.rule;
        result.reason = decision.reason;
    }
    result.passed = result.actual == result.expected &&
                    (result.expected_rule.empty() || result.actual_rule == result.expected_rule);
    return result;
}

}  // namespace

std::expected<std::vector<AccessResult>, std::vector<Diagnostic>> run_test_file(std::string_view text,
                                                                                const std::string& file_name,
                                                                                const ReadFile& read_file) {
    Report report(file_name);
    const auto tree = read_json(text, {kMaxDocumentBytes, kMaxDepth, kMaxNodes}, report);
    if (!tree) return std::unexpected(report.errors());
    const auto test = read_test_file(*tree, report);
    if (report.failed()) return std::unexpected(report.errors());

    std::vector<Diagnostic> wrong;
    const auto layers = load(test, read_file, report, wrong);
    if (report.failed() || !wrong.empty()) {
        const auto own = report.errors();
        wrong.insert(wrong.begin(), own.begin(), own.end());
        return std::unexpected(std::move(wrong));
    }
    const auto policy = compile(layers, test.variables, test.agent);
    if (!policy) return std::unexpected(policy.error());
    std::vector<AccessResult> results;
    results.reserve(test.accesses.size());
    for (const auto& access : test.accesses) results.push_back(decide(*policy, access));
    return results;
}

}  // namespace reeve::policy
