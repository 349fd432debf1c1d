#include "tests/unit/daemon/audit/samples.hpp"

namespace reeve::audit::test {
namespace {

constexpr std::int64_t kTime = 1'795'460'531'483'920'000;
const Detail kDetails[] = {{"flags", std::string_view("O_RDONLY")},
                           {"bytes", std::int64_t{-1}},
                           {"size", UINT64_MAX},
                           {"first", true}};

struct Sample {
    ResourceType type;
    std::string_view resource;
    Outcome outcome;
};

// What a record of that action is about; by the word before the dot.
Sample sample(std::string_view action) {
    const std::string_view family = action.substr(0, action.find('.'));
    if (family == "session") return {ResourceType::kSession, "01JD", Outcome::kAllowed};
    if (family == "file") return {ResourceType::kFile, "/home/alice/caf\xe9 \"q3\"\n.xlsx", Outcome::kDenied};
    if (family == "process") return {ResourceType::kProcess, "/usr/bin/git", Outcome::kAllowed};
    if (family == "network") return {ResourceType::kHost, "api.example.com:443", Outcome::kDenied};
    if (family == "credential")
        return {ResourceType::kCredential, "s3://company-data/reports/q3", Outcome::kFailed};
    if (family == "policy") return {ResourceType::kPolicy, "acme-desktop@12", Outcome::kAllowed};
    if (family == "posture" || family == "attestation") return {ResourceType::kDevice, "d1", Outcome::kNone};
    if (family == "audit") return {ResourceType::kLog, "", Outcome::kNone};
    return {ResourceType::kNone, "", Outcome::kNone};
}

}  // namespace

SessionFacts Samples::facts() {
    return {.session = "01JD",
            .trace_id = "4bf92f3577b34da6a3ce929d0e0e4736",
            .user_id = "alice@example.com",
            .uid = 1000,
            .agent_id = "cowork",
            .agent_sha256 = "9f86",
            .device_id = "d1",
            .compliant = true,
            .edr = "healthy",
            .policy_id = "acme-desktop@12",
            .model_id = "m",
            .model_version = "1",
            .prompt_hash = "sha256:00"};
}

Record Samples::full() const {
    return {.action = Action::kFileRead,
            .realtime_ns = kTime,
            .monotonic_ns = 81'233'920'011,
            .session = &session_,
            .process = &process_,
            .span_id = 0x00f067aa0ba902b7,
            .resource = "/home/alice/Documents/q3.xlsx",
            .resource_type = ResourceType::kFile,
            .outcome = Outcome::kAllowed,
            .rule = "acme-desktop/files/2",
            .decision = Decision::kAsk,
            .grant = "g_01JD",
            .decided_by = DecidedBy::kGrant,
            .credential = Credential{.type = "ephemeral", .ttl_seconds = 300},
            .details = kDetails};
}

std::vector<Record> Samples::each_action() const {
    std::vector<Record> records;
    for (std::size_t i = 0; i < kActions; ++i) {
        const auto action = static_cast<Action>(i);
        const Sample about = sample(word(action));
        Record record{.action = action,
                      .realtime_ns = kTime + static_cast<std::int64_t>(i) * 1000,
                      .monotonic_ns = 1000 + i,
                      .resource = about.resource,
                      .resource_type = about.type,
                      .count = i + 1,
                      .outcome = about.outcome,
                      .decision = about.outcome == Outcome::kDenied ? Decision::kDeny : Decision::kNone};
        if (about.type == ResourceType::kFile || about.type == ResourceType::kProcess)
            record.process = &process_;
        records.push_back(record);
    }
    return records;
}

}  // namespace reeve::audit::test
