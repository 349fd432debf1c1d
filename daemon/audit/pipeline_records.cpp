// What has waited, as records for the sink.
#include <string.h>

#include <array>

#include "daemon/audit/pipeline.hpp"

namespace reeve::audit {
namespace {

bool is_access(Action action) {
    return action != Action::kAuditGap && action != Action::kProcessEnd;
}

std::string_view event_name(Action action) {
    if (action == Action::kFileWrite) return "close_write";
    return action == Action::kProcessExec ? "open_exec" : "open";
}

// "EEXIST"; the number where glibc has no name for it.
Detail error_detail(int error) {
    const char* name = ::strerrorname_np(error);
    if (name == nullptr) return {"errno", std::int64_t{error}};
    return {"errno", std::string_view(name)};
}

ResourceType type_of(const WaitingRecord& waiting) {
    if (waiting.action == Action::kProcessEnd) return ResourceType::kProcess;
    if (waiting.network) return ResourceType::kHost;
    const bool directory = waiting.reported ? waiting.facts.directory : waiting.action == Action::kFileList;
    return directory ? ResourceType::kDirectory : ResourceType::kFile;
}

}  // namespace

// The views are into `waiting`. How many there are.
std::size_t Pipeline::details_of(const WaitingRecord& waiting, std::span<Detail> details) {
    std::size_t count = 0;
    const auto add = [&](const Detail& detail) { details[count++] = detail; };
    const auto add_text = [&](std::string_view key, std::string_view text) {
        if (!text.empty()) add({key, text});
    };
    if (waiting.network) {
        count = network_details(*waiting.network, details);
    } else if (waiting.reported) {
        const ReportedFacts& facts = waiting.facts;
        add_text("operation", facts.operation);
        add_text("target", facts.target);
        // A denial is EACCES unless it says otherwise.
        const bool plain = facts.outcome == Outcome::kDenied && facts.error == EACCES;
        if (facts.error != 0 && !plain) add(error_detail(facts.error));
        if (waiting.action == Action::kFileCanary) add({"tried", policy::name_of(facts.tried)});
    } else if (is_access(waiting.action)) {
        add({"event", event_name(waiting.action)});
    }
    if (waiting.size) add({"size", *waiting.size});
    add_text("process", waiting.process_doubt);
    add_text("directory", waiting.directory_doubt);
    return count;
}

Record Pipeline::record_of(const WaitingRecord& waiting, std::span<const Detail> details) {
    Record record;
    record.action = waiting.action;
    record.realtime_ns = waiting.realtime_ns;
    record.monotonic_ns = waiting.monotonic_ns;
    record.session = waiting.session->context.get();
    record.process = waiting.process.get();
    record.resource = waiting.resource;
    record.resource_type = type_of(waiting);
    record.count = waiting.count;
    record.details = details;
    if (waiting.reported) {
        record.outcome = waiting.facts.outcome;
        record.rule = waiting.facts.rule;
        record.decision = waiting.facts.decision;
        record.decided_by = waiting.facts.decided_by;
    } else if (is_access(waiting.action)) {
        record.outcome = Outcome::kAllowed;
    }
    return record;
}

bool Pipeline::hand_on(std::size_t count) {
    records_.resize(count);
    details_.resize(count);
    for (std::size_t i = 0; i < count; ++i) {
        const WaitingRecord& waiting = waiting_.at(i);
        records_[i] = record_of(waiting, std::span(details_[i]).first(details_of(waiting, details_[i])));
    }
    const std::size_t taken = sink_.append(records_);
    for (std::size_t i = 0; i < taken; ++i) {
        if (!is_access(waiting_.at(i).action)) continue;
        ++waiting_.at(i).session->counts.recorded;
        --waiting_.at(i).session->counts.waiting;
    }
    waiting_.remove(taken);
    return taken == count;
}

bool Pipeline::hand_on_gap() {
    WaitingRecord& waiting = waiting_.at(0);
    const std::array<Detail, 4> details{{{"reason", std::string_view(waiting.resource)},
                                         {"from_ns", waiting.from_ns},
                                         {"to_ns", waiting.monotonic_ns},
                                         {"after_seq", sink_.last_seq()}}};
    Record record;
    record.action = Action::kAuditGap;
    record.realtime_ns = waiting.realtime_ns;
    record.monotonic_ns = waiting.monotonic_ns;
    record.session = waiting.session->context.get();
    record.details = details;
    if (sink_.append({&record, 1}) != 1) return false;
    ++waiting.session->counts.gaps;
    waiting_.remove(1);
    return true;
}

}  // namespace reeve::audit
