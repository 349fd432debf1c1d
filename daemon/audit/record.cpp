#include "daemon/audit/record.hpp"

#include <array>

#include "daemon/audit/text.hpp"

namespace reeve::audit {
namespace {

constexpr std::array<std::string_view, kActions> kActionWords = {
    "session.start",      "session.end",     "file.list",        "file.read",       "file.write",
    "file.create",        "file.delete",     "file.rename",      "file.link",       "file.execute",
    "file.attributes",    "file.canary",     "process.exec",     "process.end",     "network.connect",
    "network.dns",        "consent.asked",   "consent.answered", "consent.revoked", "credential.issued",
    "credential.refused", "posture.changed", "policy.loaded",    "policy.refused",  "attestation.signed",
    "audit.checkpoint",   "audit.gap",       "daemon.start",     "daemon.stop",     "daemon.error",
};
constexpr std::array<std::string_view, 10> kResourceWords = {
    "", "file", "directory", "process", "host", "session", "credential", "policy", "device", "log"};
constexpr std::array<std::string_view, 4> kOutcomeWords = {"", "allowed", "denied", "failed"};
constexpr std::array<std::string_view, 4> kDecisionWords = {"", "allow", "ask", "deny"};
constexpr std::array<std::string_view, 5> kDecidedByWords = {"", "policy", "grant", "person", "default"};

// Joins members with commas; empty values are left out. The text starts without a comma.
class Members {
  public:
    Members& text(std::string_view name, std::string_view value) {
        return value.empty() ? *this : raw(name, quoted(value));
    }
    Members& bytes(std::string_view name, std::string_view value) {
        if (value.empty()) return *this;
        std::string member(member_bound(name.size(), value.size()), '\0');
        member.resize(static_cast<std::size_t>(put_member(name, value, member.data()) - member.data()));
        json_ += json_.empty() ? std::string_view(member).substr(1) : std::string_view(member);
        return *this;
    }
    Members& raw(std::string_view name, std::string_view value) {
        if (value.empty()) return *this;
        if (!json_.empty()) json_ += ',';
        json_.append("\"").append(name).append("\":").append(value);
        return *this;
    }
    Members& object(std::string_view name, const Members& members) {
        return members.json_.empty() ? *this : raw(name, "{" + members.json_ + "}");
    }
    // ,"a":1,"b":2 or nothing.
    std::string following() const { return json_.empty() ? "" : "," + json_; }
    const std::string& json() const { return json_; }

  private:
    std::string json_;
};

}  // namespace

std::string_view word(Action value) {
    return kActionWords[static_cast<std::size_t>(value)];
}
std::string_view word(ResourceType value) {
    return kResourceWords[static_cast<std::size_t>(value)];
}
std::string_view word(Outcome value) {
    return kOutcomeWords[static_cast<std::size_t>(value)];
}
std::string_view word(Decision value) {
    return kDecisionWords[static_cast<std::size_t>(value)];
}
std::string_view word(DecidedBy value) {
    return kDecidedByWords[static_cast<std::size_t>(value)];
}

SessionContext::SessionContext(const SessionFacts& facts) {
    trace_ = Members().text("trace_id", facts.trace_id).following();
    session_ = Members().text("session", facts.session).following();

    Members posture;
    if (facts.compliant) posture.raw("compliant", *facts.compliant ? "true" : "false");
    posture.text("edr", facts.edr);
    actor_ = Members()
                 .text("user_id", facts.user_id)
                 .raw("uid", facts.uid ? std::to_string(*facts.uid) : "")
                 .text("agent_id", facts.agent_id)
                 .text("agent_sha256", facts.agent_sha256)
                 .text("device_id", facts.device_id)
                 .object("device_posture", posture)
                 .json();

    policy_ = Members().text("policy_id", facts.policy_id).json();
    const Members model = Members()
                              .text("model_id", facts.model_id)
                              .text("model_version", facts.model_version)
                              .text("prompt_hash", facts.prompt_hash);
    model_ = Members().object("model_metadata", model).following();
}

ProcessContext::ProcessContext(const ProcessFacts& facts) {
    const Members members = Members()
                                .raw("pid", std::to_string(facts.pid))
                                .raw("start_ns", facts.start_ns != 0 ? std::to_string(facts.start_ns) : "")
                                .bytes("exe", facts.exe)
                                .raw("parent", facts.parent != 0 ? std::to_string(facts.parent) : "");
    json_ = Members().object("process", members).json();
}

}  // namespace reeve::audit
