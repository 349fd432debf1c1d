#include "daemon/api/policy_tools.hpp"

#include <algorithm>
#include <filesystem>
#include <optional>

#include "daemon/api/client_fds.hpp"
#include "policy/engine.hpp"
#include "policy/test_file.hpp"

namespace reeve::api {
namespace {

constexpr std::size_t kMaxTestFile = 16U << 20;

PolicyProblem problem_of(const policy::Diagnostic& diagnostic) {
    return {.file = diagnostic.file,
            .line = diagnostic.at.line,
            .column = diagnostic.at.column,
            .warning = diagnostic.severity == policy::Severity::warning,
            .message = diagnostic.message,
            .hint = diagnostic.hint,
            .text = policy::to_string(diagnostic)};
}

PolicyProblem unreadable(const std::string& file, const platform::Error& error) {
    return {.file = file, .message = error.why, .text = error.text()};
}

// One fault is found once for each agent that it concerns, and said once.
void add(std::vector<PolicyProblem>& problems, const std::vector<policy::Diagnostic>& found) {
    for (const policy::Diagnostic& diagnostic : found) {
        PolicyProblem problem = problem_of(diagnostic);
        const bool known = std::ranges::any_of(
            problems, [&](const PolicyProblem& other) { return other.text == problem.text; });
        if (!known) problems.push_back(std::move(problem));
    }
}

struct Read {
    PolicyFile file;
    std::optional<policy::Document> document;
};

Read read(const std::string& path) {
    Read result;
    result.file.file = path;
    auto text = read_text(path, policy::kMaxDocumentBytes);
    if (!text) {
        result.file.problems.push_back(unreadable(path, text.error()));
        return result;
    }
    auto document = policy::parse_document(*text, path);
    if (!document) {
        add(result.file.problems, document.error());
        return result;
    }
    result.file.id = document->id;
    result.file.version = document->version;
    result.document = std::move(*document);
    return result;
}

// Stand-ins for a person: what is compiled must not depend on who checks it.
policy::Variables sample_variables() {
    return {.home = "/home/alice",
            .workspace = "/home/alice/project",
            .user = "alice",
            .session = "01J00000000000000000000000",
            .tmp = "/tmp"};
}

void compile(PolicyFile& file, const policy::Document& document, const policy::Document* vendor) {
    std::vector<policy::Layer> layers;
    if (document.id == "vendor") {
        layers.push_back({policy::Authority::vendor, document});
    } else {
        layers.push_back({policy::Authority::organisation, document});
        if (vendor != nullptr) layers.push_back({policy::Authority::vendor, *vendor});
    }
    std::vector<std::string> agents{std::string(policy::kUnverified)};
    for (const auto& [agent, definition] : document.agents) agents.push_back(agent);
    for (const std::string& agent : agents) {
        const auto compiled = policy::compile(layers, sample_variables(), agent);
        if (!compiled) {
            add(file.problems, compiled.error());
            continue;
        }
        add(file.problems, compiled->warnings());
        file.agents.push_back({agent, compiled->table().states(), compiled->table_bytes().size()});
    }
}

bool extends_vendor(const policy::Document& document) {
    return document.id != "vendor" && std::ranges::find(document.extends, "vendor") != document.extends.end();
}

}  // namespace

bool PolicyFile::ok() const {
    return std::ranges::all_of(problems, [](const PolicyProblem& problem) { return problem.warning; });
}

std::vector<PolicyFile> check_policies(const std::vector<std::string>& files, const std::string& vendor) {
    std::vector<Read> all;
    for (const std::string& file : files) all.push_back(read(file));
    std::optional<policy::Document> base;
    for (const Read& one : all)
        if (one.document && one.document->id == "vendor") base = one.document;
    const bool wanted = std::ranges::any_of(
        all, [](const Read& one) { return one.document && extends_vendor(*one.document); });
    if (!base && wanted) base = read(vendor).document;

    std::vector<PolicyFile> results;
    for (Read& one : all) {
        if (one.document && extends_vendor(*one.document) && !base) {
            const std::string message =
                "it extends \"vendor\", and the vendor's document is not in order at " + vendor;
            one.file.problems.push_back({.file = one.file.file,
                                         .message = message,
                                         .hint = "name it as well: reeve policy check FILE vendor.jsonc",
                                         .text = one.file.file + ": " + message});
        } else if (one.document) {
            compile(one.file, *one.document, base ? &*base : nullptr);
        }
        results.push_back(std::move(one.file));
    }
    return results;
}

bool PolicyTest::ok() const {
    return problems.empty() &&
           std::ranges::all_of(accesses, [](const PolicyAccess& access) { return access.passed; });
}

PolicyTest test_policy(const std::string& file) {
    PolicyTest test;
    auto text = read_text(file, kMaxTestFile);
    if (!text) {
        test.problems.push_back(unreadable(file, text.error()));
        return test;
    }
    const auto folder = std::filesystem::path(file).parent_path();
    const auto read_layer = [&](const std::string& name) -> std::expected<std::string, std::string> {
        auto layer = read_text((folder / name).string(), policy::kMaxDocumentBytes);
        if (!layer) return std::unexpected(layer.error().text());
        return std::move(*layer);
    };
    const auto results = policy::run_test_file(*text, file, read_layer);
    if (!results) {
        add(test.problems, results.error());
        return test;
    }
    for (const policy::AccessResult& result : *results)
        test.accesses.push_back({.line = result.at.line,
                                 .column = result.at.column,
                                 .action = result.action,
                                 .resource = result.resource,
                                 .expected = std::string(policy::name_of(result.expected)),
                                 .actual = std::string(policy::name_of(result.actual)),
                                 .expected_rule = result.expected_rule,
                                 .rule = result.actual_rule,
                                 .reason = result.reason,
                                 .passed = result.passed});
    return test;
}

}  // namespace reeve::api
