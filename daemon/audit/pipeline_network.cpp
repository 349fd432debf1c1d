// Reports of reeve-egress as waiting records.
#include <algorithm>
#include <array>

#include "daemon/audit/pipeline.hpp"

namespace reeve::audit {
namespace {

using egress::Report;

constexpr std::array kOutcomeOf = {Outcome::kAllowed, Outcome::kDenied, Outcome::kFailed};
constexpr std::array kDecisionOf = {Decision::kAllow, Decision::kAsk, Decision::kDeny};

// A port behind an IPv6 address could not be told from it.
std::string resource_of(const Report& report) {
    if (report.lookup) return report.host;
    const bool six = report.host.contains(':');
    return (six ? "[" + report.host + "]" : report.host) + ":" + std::to_string(report.port);
}

void set(ReportedFacts& facts, const Report& report) {
    facts = {};
    facts.outcome = kOutcomeOf[static_cast<std::size_t>(report.outcome)];
    facts.decision = kDecisionOf[static_cast<std::size_t>(report.verdict)];
    facts.decided_by = report.by_rule ? DecidedBy::kPolicy : DecidedBy::kDefault;
    facts.rule = report.rule;
}

}  // namespace

std::size_t Pipeline::network_details(const Report& report, std::span<Detail> details) {
    std::size_t count = 0;
    const auto add = [&](std::string_view key, std::string_view text) {
        if (!text.empty()) details[count++] = {key, text};
    };
    add("type", report.type);
    add(report.lookup ? "answer" : "address", report.address);
    add("protocol", report.protocol);
    add("sni", report.sni);
    add("alpn", report.alpn);
    add("ended", report.ended);
    add("reason", report.reason);
    if (!report.lookup && report.outcome == egress::Outcome::allowed) {
        details[count++] = {"bytes_up", report.bytes_up};
        details[count++] = {"bytes_down", report.bytes_down};
        details[count++] = {"duration_ns", report.duration_ns};
    }
    return count;
}

void Pipeline::take(const Session& session, std::vector<Report> reports) {
    const Now time = now();
    session->processes.turn_begins();
    for (Report& report : reports) {
        session->counts.seen += report.count;
        session->counts.coalesced += report.count - 1;
        const Action action = report.lookup ? Action::kNetworkDns : Action::kNetworkConnect;
        WaitingRecord& record =
            add(session, time, session->processes.named(report.pid, report.start_ns, report.exe), action, 0);
        record.resource = resource_of(report);
        record.count = report.count;
        record.reported = true;
        set(record.facts, report);
        set_time(record, time, report.monotonic_ns);
        if (record.facts.outcome == Outcome::kDenied)
            session->denials.add({.realtime_ns = record.realtime_ns,
                                  .action = action,
                                  .decision = record.facts.decision,
                                  .resource = record.resource,
                                  .target = {},
                                  .rule = record.facts.rule});
        record.network = std::make_shared<const Report>(std::move(report));
        waiting_.set(record);
    }
}

}  // namespace reeve::audit
