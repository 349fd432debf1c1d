// Policy documents: any bytes give a document that keeps its promises, or faults that can be shown; as JSON they
// are what nlohmann/json reads too.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <nlohmann/json.hpp>

#include "policy/document.hpp"
#include "policy/glob.hpp"
#include "policy/json_reader.hpp"
#include "policy/network.hpp"

namespace {

using namespace reeve::policy;

void require(bool holds) {
    if (!holds) std::abort();
}

bool same(const JsonNode& ours, const nlohmann::json& theirs) {
    switch (ours.kind) {
        case JsonNode::Kind::null:
            return theirs.is_null();
        case JsonNode::Kind::boolean:
            return theirs.is_boolean() && theirs.get<bool>() == ours.truth;
        case JsonNode::Kind::number:
            return theirs.is_number() && nlohmann::json::parse(ours.text) == theirs;
        case JsonNode::Kind::string:
            return theirs.is_string() && theirs.get_ref<const std::string&>() == ours.text;
        case JsonNode::Kind::array:
            return theirs.is_array() && std::ranges::equal(ours.items, theirs, same);
        case JsonNode::Kind::object:
            return theirs.is_object() && theirs.size() == ours.items.size() &&
                   std::ranges::all_of(ours.items, [&](const JsonNode& item) {
                       return theirs.contains(item.key) && same(item, theirs.at(item.key));
                   });
    }
    return false;
}

// Ours is stricter where it says so: bounds, keys that are there twice, text that is no UTF-8.
bool is_stricter(const Diagnostic& fault) {
    const auto has = [&](std::string_view part) { return fault.message.find(part) != std::string::npos; };
    return has("more than") || has(" is here twice") || has("not UTF-8");
}

void compare(std::string_view text) {
    // To nlohmann/json a NUL is the end.
    if (text.find('\0') != std::string_view::npos) return;
    Report report("f");
    const auto ours = read_json(text, {kMaxDocumentBytes, kMaxDepth, 250'000}, report);
    const auto errors = report.errors();
    const auto theirs = nlohmann::json::parse(text, nullptr, false, true);
    if (!ours) {
        require(std::ranges::any_of(errors, is_stricter) || theirs.is_discarded());
    } else if (errors.empty() && !theirs.is_discarded()) {
        require(same(*ours, theirs));
    } else if (errors.empty()) {
        // Numbers that no double holds.
        require(text.find_first_of("0123456789") != std::string_view::npos);
    }
}

void check_faults(const std::vector<Diagnostic>& faults) {
    require(!faults.empty() && faults.size() <= kMaxDiagnostics);
    for (const char c : to_string(faults)) {
        require(c == '\n' || (static_cast<unsigned char>(c) >= 0x20 && c != 0x7F));
    }
}

void check_patterns(const std::vector<PatternText>& patterns) {
    static const Variables kValues{"/home/alice", "/home/alice/w", "alice", "s1", "/tmp"};
    for (const auto& pattern : patterns) {
        const auto expanded = glob::expand(pattern.text, kValues);
        require(expanded || expanded.error().find("alternatives") != std::string::npos);
    }
}

void check_document(const Document& document) {
    require(!document.id.empty() && document.version >= 1);
    for (const auto& rule : document.files) {
        require(rule.named != 0 && (rule.actions & rule.named) == rule.named && !rule.paths.empty());
        require(!rule.log || rule.verdict == Verdict::allow);
        check_patterns(rule.paths);
        check_patterns(rule.except);
    }
    for (const auto& [id, agent] : document.agents) {
        check_patterns(agent.executables);
        check_patterns(agent.workspaces);
        check_patterns(agent.state);
    }
    std::vector<NetworkPolicy::Entry> entries;
    for (const auto& rule : document.network) entries.push_back({Authority::organisation, rule.id, rule});
    const NetworkPolicy forward(entries, Authority::organisation);
    std::ranges::reverse(entries);
    const NetworkPolicy backward(entries, Authority::organisation);
    for (const auto* host :
         {"api.anthropic.com", "a.b.pypi.org", "localhost", "10.0.0.1", "2606::1", "[", ""}) {
        for (const std::uint16_t port : {std::uint16_t{0}, std::uint16_t{443}, std::uint16_t{65535}}) {
            require(forward.decide_host(host, port).verdict == backward.decide_host(host, port).verdict);
        }
    }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const std::string_view text(reinterpret_cast<const char*>(data), size);
    compare(text);
    if (const auto document = parse_document(text, "f")) {
        check_document(*document);
    } else {
        check_faults(document.error());
    }
    if (const auto address = parse_address(text.substr(0, 64))) (void)classes_of(*address, {*address});
    (void)host_matches(text.substr(0, size / 2), text.substr(size / 2));
    return 0;
}
