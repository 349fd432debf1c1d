// The sections "network" and "dlp".
#include <algorithm>

#include "policy/document_reader.hpp"
#include "policy/host.hpp"
#include "policy/number_text.hpp"

namespace reeve::policy {
namespace {

// Host patterns, in the form that is compared.
std::vector<std::string> read_hosts(const JsonNode* node, bool may_be_empty, Report& report) {
    std::vector<std::string> hosts;
    read_list(node, kMaxPatterns, may_be_empty, report, [&](const JsonNode& entry) {
        if (!is_text(entry, "a host name", report)) return;
        auto host = parse_host_pattern(entry.text);
        if (!host) {
            report.error(entry.at, "the host " + in_quotes(entry.text) + ": " + host.error().message,
                         host.error().hint);
        } else {
            hosts.push_back(std::move(*host));
        }
    });
    return hosts;
}

std::optional<std::uint16_t> port_number(std::string_view text) {
    const auto port = number_of<std::uint16_t>(text);
    return port == 0 ? std::nullopt : port;
}

std::optional<PortRange> read_port(const JsonNode& node, Report& report) {
    static constexpr std::string_view kExpected = "a port from 1 to 65535, or a range such as \"8000-8100\"";
    const std::string_view text = node.text;
    if (node.kind == JsonNode::Kind::number) {
        if (const auto port = port_number(text)) return PortRange{*port, *port};
    } else if (node.kind == JsonNode::Kind::string) {
        const auto dash = text.find('-');
        const auto first = port_number(text.substr(0, dash));
        const auto last = dash == std::string_view::npos ? std::nullopt : port_number(text.substr(dash + 1));
        if (first && last && *first <= *last) return PortRange{*first, *last};
        if (first && last) {
            report.error(node.at, "the range " + in_quotes(text) + " ends before it starts",
                         "write the smaller port first");
            return std::nullopt;
        }
        if (first && dash == std::string_view::npos) {
            report.error(node.at, in_quotes(text) + " is a port in quotes",
                         "write it as a number: " + node.text);
            return std::nullopt;
        }
    } else {
        wrong_kind(node, kExpected, report);
        return std::nullopt;
    }
    report.error(node.at, "expected " + std::string(kExpected) + ", found " + in_quotes(text));
    return std::nullopt;
}

NetworkTarget read_target(const ObjectReader& object, Report& report) {
    NetworkTarget target;
    target.hosts = read_hosts(object.find("hosts"), false, report);
    target.except = read_hosts(object.find("except"), true, report);
    read_list(object.find("ports"), 1000, false, report, [&](const JsonNode& entry) {
        if (const auto port = read_port(entry, report)) target.ports.push_back(*port);
    });
    read_list(object.find("addresses"), kMaxPatterns, false, report, [&](const JsonNode& entry) {
        if (!is_text(entry, "a class of addresses or a network such as \"10.0.0.0/8\"", report)) return;
        auto range = parse_address_range(entry.text);
        if (range) {
            target.addresses.push_back(std::move(*range));
        } else {
            report.error(entry.at, range.error().message, range.error().hint);
        }
    });
    return target;
}

// A target without a key would be everything, which nobody should get by leaving something out.
void refuse_empty(const ObjectReader& object, const JsonNode& node, Report& report) {
    if (!object.is_object() || !node.items.empty()) return;
    report.error(node.at, "this names no hosts, ports or addresses", "write {\"hosts\": [\"**\"]} for all");
}

NetworkRule read_network_rule(const JsonNode& node, RuleIds& ids, Report& report) {
    const ObjectReader object(node, kinds::network_rule, report);
    NetworkRule rule;
    rule.at = node.at;
    rule.id = ids.read(object.find("id"), report);
    if (const auto verdict = read_verdict(object, {Verdict::allow, Verdict::ask, Verdict::deny}, report)) {
        const ObjectReader target(*verdict->second, kinds::network_target, report);
        refuse_empty(target, *verdict->second, report);
        rule.verdict = verdict->first;
        rule.target = read_target(target, report);
    }
    if (const auto* verify = object.find("verify")) {
        const auto word = read_word<Verify>(
            verify, {{"address", Verify::address}, {"tls", Verify::tls}, {"name", Verify::name}}, report);
        if (word && rule.verdict == Verdict::deny)
            report.error(verify->at, "\"verify\" is about what is let through, and this rule denies");
        rule.verify = word.value_or(Verify::name);
    }
    rule.agents = read_rule_agents(object.find("agents"), report);
    rule.reason = read_reason(object.find("reason"), report);
    rule.label = read_label(object.find("label"), report);
    return rule;
}

// Detectors and kinds of files: short words.
std::vector<std::string> read_words(const JsonNode* node, std::string_view what, Report& report) {
    return read_texts(node, 1000, false, report,
                      [&](const JsonNode& entry) { return check_name(entry.text, entry.at, what, report); });
}

DlpRule read_dlp_rule(const JsonNode& node, RuleIds& ids, Report& report) {
    const ObjectReader object(node, kinds::dlp_rule, report);
    DlpRule rule;
    rule.at = node.at;
    rule.id = ids.read(object.find("id"), report);
    if (const auto* when = object.find("when")) {
        const ObjectReader condition(*when, kinds::dlp_when, report);
        rule.labels = read_words(condition.require("labels"), "a label", report);
    }
    if (const auto* inspect = object.find("inspect")) {
        const ObjectReader target(*inspect, kinds::network_target, report);
        refuse_empty(target, *inspect, report);
        rule.inspect = read_target(target, report);
    }
    // What goes out is decided by "network"; here it can only become less.
    if (const auto verdict = read_verdict(object, {Verdict::ask, Verdict::deny}, report)) {
        const ObjectReader target(*verdict->second, kinds::dlp_target, report);
        refuse_empty(target, *verdict->second, report);
        rule.verdict = verdict->first;
        rule.target = read_target(target, report);
        rule.detect = read_words(target.find("detect"), "a detector", report);
        rule.types = read_words(target.find("types"), "a type of file", report);
    }
    rule.agents = read_rule_agents(object.find("agents"), report);
    rule.reason = read_reason(object.find("reason"), report);
    return rule;
}

}  // namespace

void read_network(const JsonNode* node, Document& document, RuleIds& ids, Report& report) {
    read_list(node, kMaxRules, true, report, [&](const JsonNode& entry) {
        document.network.push_back(read_network_rule(entry, ids, report));
    });
}

void read_dlp(const JsonNode* node, Document& document, RuleIds& ids, Report& report) {
    read_list(node, kMaxRules, true, report,
              [&](const JsonNode& entry) { document.dlp.push_back(read_dlp_rule(entry, ids, report)); });
}

}  // namespace reeve::policy
