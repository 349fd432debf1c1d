// The sections that hold settings instead of rules.
#include <algorithm>

#include "policy/document_reader.hpp"
#include "policy/number_text.hpp"

namespace reeve::policy {
namespace {

// "disk.encrypted": what kind of thing, and what is checked of it.
bool check_probe_name(const JsonNode& entry, Report& report) {
    const std::string_view name = entry.text;
    const auto is_part = [](std::string_view part) {
        return !part.empty() && std::ranges::all_of(part, [](char c) {
            return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '_';
        });
    };
    const auto dot = name.find('.');
    const bool good = name.size() <= 64 && dot != std::string_view::npos && is_part(name.substr(0, dot)) &&
                      is_part(name.substr(dot + 1));
    if (!good) {
        report.error(entry.at, in_quotes(name) + " cannot be the name of a check",
                     "checks are named such as \"disk.encrypted\"; reeve posture lists them");
    }
    return good;
}

bool is_loopback(std::string_view authority) {
    const bool is_six = authority.starts_with("[::1]");
    const auto host = is_six ? authority.substr(0, 5) : authority.substr(0, authority.find(':'));
    const auto rest = authority.substr(host.size());
    return (is_six || host == "127.0.0.1" || host == "localhost") && (rest.empty() || rest.starts_with(':'));
}

// Tokens travel there, so that it must be TLS; on the machine itself plain HTTP does.
std::string read_url(const JsonNode* node, Report& report) {
    const auto url = read_text(node, 2048, report);
    if (!url) return "";
    std::string_view rest = *url;
    const bool plain = rest.starts_with("http://");
    const auto refuse = [&](const std::string& why) {
        report.error(node->at, in_quotes(*url) + why,
                     "write an address such as \"https://broker.example/token\"");
        return std::string();
    };
    if (!plain && !rest.starts_with("https://")) return refuse(" is not an https address");
    rest.remove_prefix(plain ? 7 : 8);
    const auto authority = rest.substr(0, rest.find_first_of("/?#"));
    const bool printable = std::ranges::all_of(*url, [](char c) { return c > 0x20 && c < 0x7F; });
    if (authority.empty() || !printable || authority.find_first_of("@\\\"<>") != std::string_view::npos) {
        return refuse(" is not an address of a server");
    }
    if (rest.find('#') != std::string_view::npos) return refuse(" has a fragment, which no server sees");
    if (plain && !is_loopback(authority)) return refuse(" would send tokens without encryption");
    return *url;
}

Broker read_broker(const JsonNode& node, Report& report) {
    const ObjectReader object(node, kinds::broker, report);
    Broker broker;
    broker.at = node.at;
    broker.audience = read_url(object.find("audience"), report);
    broker.token_endpoint = read_url(object.find("token_endpoint"), report);
    broker.challenge_endpoint = read_url(object.find("challenge_endpoint"), report);
    broker.max_ttl = read_duration(object.find("max_ttl"), report);
    broker.resources =
        read_texts(object.find("resources"), kMaxPatterns, false, report, [&](const JsonNode& entry) {
            const auto fault = check_resource_pattern(entry.text);
            if (fault) report.error(entry.at, in_quotes(entry.text) + ": " + fault->message, fault->hint);
            return !fault;
        });
    const bool has_endpoint =
        object.find("token_endpoint") != nullptr || object.find("challenge_endpoint") != nullptr;
    if (has_endpoint && object.find("audience") == nullptr) {
        report.error(node.at, "this broker has endpoints and no \"audience\"",
                     "name whom its tokens are for, such as \"https://broker.example\"");
    }
    return broker;
}

std::optional<double> read_share(const JsonNode* node, Report& report) {
    if (node == nullptr) return std::nullopt;
    static constexpr std::string_view kExpected = "a share in percent, from 0 to 100";
    if (node->kind != JsonNode::Kind::number) {
        wrong_kind(*node, kExpected, report);
        return std::nullopt;
    }
    const auto share = number_of<double>(node->text);
    if (!share || !(*share >= 0 && *share <= 100)) {
        report.error(node->at, "expected " + std::string(kExpected) + ", found " + in_quotes(node->text));
        return std::nullopt;
    }
    return share;
}

}  // namespace

void read_posture(const JsonNode* node, Document& document, Report& report) {
    if (node == nullptr) return;
    const ObjectReader object(*node, kinds::posture, report);
    auto& posture = document.posture;
    posture.require = read_texts(object.find("require"), 1000, true, report,
                                 [&](const JsonNode& entry) { return check_probe_name(entry, report); });
    posture.max_age = read_duration(object.find("max_age"), report);
    posture.on_fail = read_word<OnFail>(object.find("on_fail"),
                                        {{"refuse-credentials", OnFail::refuse_credentials},
                                         {"freeze", OnFail::freeze},
                                         {"end-session", OnFail::end_session}},
                                        report);
}

void read_brokers(const JsonNode* node, Document& document, Report& report) {
    if (node == nullptr) return;
    if (node->kind != JsonNode::Kind::object) {
        wrong_kind(*node, "an object with a broker under each name", report);
        return;
    }
    for (const auto& entry : node->items) {
        if (!check_name(entry.key, entry.key_at, "a broker's name", report)) continue;
        document.brokers.emplace(entry.key, read_broker(entry, report));
    }
}

void read_consent(const JsonNode* node, Document& document, Report& report) {
    if (node == nullptr) return;
    const ObjectReader object(*node, kinds::consent, report);
    auto& consent = document.consent;
    consent.timeout = read_duration(object.find("timeout"), report);
    consent.max_lifespan = read_duration(object.find("max_lifespan"), report);
    consent.max_pending = read_count(object.find("max_pending"), 1, 10'000, report);
    if (const auto* lifespans = object.find("lifespans")) {
        consent.lifespans = read_texts(lifespans, 4, false, report, [&](const JsonNode& entry) {
            return read_word<bool>(
                       &entry, {{"once", true}, {"time", true}, {"session", true}, {"always", true}}, report)
                .has_value();
        });
    }
    consent.scripted = read_truth(object.find("scripted"), report);
}

void read_limits(const JsonNode* node, Document& document, Report& report) {
    if (node == nullptr) return;
    const ObjectReader object(*node, kinds::limits, report);
    document.limits.memory = read_size(object.find("memory"), report);
    document.limits.processes = read_count(object.find("processes"), 1, 4'194'304, report);
    document.limits.upload = read_size(object.find("upload"), report);
    document.limits.host_upload = read_size(object.find("host_upload"), report);
}

void read_audit(const JsonNode* node, Document& document, Report& report) {
    if (node == nullptr) return;
    const ObjectReader object(*node, kinds::audit, report);
    auto& audit = document.audit;
    audit.on_full =
        read_word<OnFull>(object.find("on_full"),
                          {{"end-session", OnFull::end_session}, {"keep-going", OnFull::keep_going}}, report);
    audit.keep = read_duration(object.find("keep"), report);
    audit.max_size = read_size(object.find("max_size"), report);
    audit.sinks = read_texts(object.find("sinks"), 4, false, report, [&](const JsonNode& entry) {
        return read_word<bool>(&entry, {{"file", true}, {"otlp", true}, {"syslog", true}, {"kafka", true}},
                               report)
            .has_value();
    });
}

void read_rollout(const JsonNode* node, Document& document, Report& report) {
    if (node == nullptr) return;
    const ObjectReader object(*node, kinds::rollout, report);
    Rollout rollout;
    rollout.share = read_share(object.find("share"), report);
    rollout.groups = read_texts(object.find("groups"), 1000, false, report, [&](const JsonNode& entry) {
        return check_name(entry.text, entry.at, "a group's name", report);
    });
    if (object.is_object() && node->items.empty()) {
        report.error(node->at, "this rollout names no devices", "it needs \"share\", \"groups\" or both");
    }
    document.rollout = std::move(rollout);
}

}  // namespace reeve::policy
