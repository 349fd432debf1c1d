#include "daemon/audit/pipeline_processes.hpp"

#include <algorithm>

namespace reeve::audit {
namespace {

constexpr std::size_t kMostKnown = 4096;  // each holds a descriptor

std::shared_ptr<const ProcessContext> context_of(const access::Report& report) {
    return std::make_shared<const ProcessContext>(ProcessFacts{.pid = report.pid,
                                                               .start_ns = report.start_ns,
                                                               .exe = std::string(report.exe),
                                                               .parent = report.parent});
}

std::uint64_t next_id() {
    static std::uint64_t id = 0;  // one thread takes all events
    return ++id;
}

}  // namespace

Processes::Processes(std::uint64_t pid_namespace, std::size_t queues)
    : pid_namespace_(pid_namespace), queues_(std::min(queues, kMostQueues)) {
    empty_at_.fill(UINT64_MAX);
    for (std::size_t i = 0; i < queues_; ++i) empty_at_[i] = 0;
}

std::optional<std::size_t> Processes::add_queue() {
    if (queues_ == kMostQueues) return std::nullopt;
    empty_at_[queues_] = step_;
    return queues_++;
}

void Processes::turn_begins() {
    ++turn_;
    last_ = nullptr;
    look_for_ends();
}

void Processes::look_for_ends() {
    ++step_;
    for (auto tokens = ends_.collect(); !tokens.empty(); tokens = ends_.collect()) {
        for (const std::uint64_t token : tokens) {
            const auto found = known_.find(static_cast<pid_t>(token));
            if (found == known_.end()) continue;
            found->second.ended = true;
            found->second.ended_at = step_;
            found->second.pidfd.reset();
            some_ended_ = true;
        }
    }
}

void Processes::drained(std::size_t queue) {
    empty_at_[queue] = step_;
    if (some_ended_) settle();
}

void Processes::drained_late(std::size_t queue, std::uint64_t now_ns) {
    Mark& mark = marks_[queue];
    if (now_ns - mark.ns < kReportLag) return;
    empty_at_[queue] = mark.step;
    mark = {step_, now_ns};
    if (some_ended_) settle();
}

void Processes::queue_ends(std::size_t queue) {
    empty_at_[queue] = UINT64_MAX;
    if (some_ended_) settle();
}

void Processes::finish() {
    look_for_ends();
    empty_at_.fill(UINT64_MAX);
    settle();
}

// A process puts its events into the queues before its end shows: after a look that found the end, each queue
// that was seen empty has no more of them.
void Processes::settle() {
    const std::uint64_t before = *std::ranges::min_element(empty_at_);
    last_ = nullptr;
    some_ended_ = false;
    for (auto entry = known_.begin(); entry != known_.end();) {
        Known& process = entry->second;
        const bool settled = process.ended && process.ended_at <= before;
        some_ended_ = some_ended_ || (process.ended && !settled);
        if (settled) end(process);
        entry = settled ? known_.erase(entry) : std::next(entry);
    }
}

void Processes::end(Known& process) {
    if (process.named && !process.untold)
        ended_.push_back({std::move(process.context), std::move(process.facts.exe), process.doubt});
}

Processes::Known& Processes::of(pid_t pid, std::span<const platform::watch::Event> rest) {
    if (last_ != nullptr && last_->facts.pid == pid) return *last_;
    const auto found = known_.find(pid);
    Known& process = found != known_.end() ? found->second : learn(pid, rest);
    if (process.ended && process.judged != turn_) judge(process);
    last_ = &process;
    return process;
}

// Its process has ended, and there are events of its number. They are its own, unless the number is in use
// again.
void Processes::judge(Known& process) {
    process.judged = turn_;
    if (!process.doubt.empty()) return;
    const auto now = platform::watch::look_up(static_cast<pid_t>(process.facts.pid));
    if (!now || now->start_ns == process.facts.start_ns) return;
    if (pid_namespace_ != 0 && now->pid_namespace != pid_namespace_)
        return;  // not one that can have made them
    end(process);
    process.untold = true;  // the next owner is known when it is heard of again
    process.facts = {.pid = process.facts.pid};
    process.context = std::make_shared<const ProcessContext>(process.facts);
    process.id = next_id();
    process.doubt = "ambiguous";
}

// With what could be looked up of it.
Processes::Known& Processes::enter(pid_t pid, std::optional<platform::watch::Process> now) {
    if (known_.size() >= kMostKnown) forget(known_.begin()->first);
    Known& process = known_[pid];
    process.id = next_id();
    process.facts.pid = pid;
    if (!now || !ends_.add(now->pidfd, static_cast<std::uint64_t>(pid))) {
        process.doubt = "gone";
        process.ended = some_ended_ = true;
        process.ended_at = step_;
    } else {
        process.facts.start_ns = now->start_ns;
        process.facts.parent = now->parent;
        process.facts.exe = std::move(now->exe);
        process.pidfd = std::move(now->pidfd);
    }
    return process;
}

Processes::Known& Processes::learn(pid_t pid, std::span<const platform::watch::Event> rest) {
    auto now = platform::watch::look_up(pid);
    const bool outside = now && pid_namespace_ != 0 && now->pid_namespace != pid_namespace_;
    if (outside) now.reset();
    Known& process = enter(pid, std::move(now));
    process.untold = pid <= 0 || outside;
    // What /proc says is of now. If it runs another program only later in these events, then this one is
    // still the program that it was forked with, which is its parent's.
    const auto runs = [&](const auto& event) {
        return event.pid == pid && event.kinds & platform::watch::kExecuted;
    };
    const auto later = std::ranges::find_if(rest, runs);
    if (later != rest.end() && later != rest.begin()) {
        const auto parent = known_.find(static_cast<pid_t>(process.facts.parent));
        process.facts.exe =
            parent != known_.end() && parent != known_.find(pid) ? parent->second.facts.exe : "";
    }
    process.context = std::make_shared<const ProcessContext>(process.facts);
    return process;
}

// Nothing was heard of it before. If its number leads elsewhere by now, what the report says is all there is.
Processes::Known& Processes::learn(const access::Report& report) {
    auto now = platform::watch::look_up(report.pid);
    if (now && ((report.start_ns != 0 && now->start_ns != report.start_ns) ||
                (pid_namespace_ != 0 && now->pid_namespace != pid_namespace_)))
        now.reset();
    Known& process = enter(report.pid, std::move(now));
    adopt(process, report);
    return process;
}

// What could not be looked up in time, the report knows.
void Processes::adopt(Known& process, const access::Report& report) {
    if (report.start_ns != 0) process.facts.start_ns = report.start_ns;
    if (report.parent != 0) process.facts.parent = report.parent;
    if (!report.exe.empty()) process.facts.exe = report.exe;
    if (process.facts.start_ns != 0 && !process.facts.exe.empty()) process.doubt = "";
    process.context = std::make_shared<const ProcessContext>(process.facts);
    process.id = next_id();
}

Processes::Named Processes::reported(const access::Report& report) {
    if (report.pid <= 0) return {};
    auto found = known_.find(report.pid);
    const auto other = [&](const Known& known) {
        return report.start_ns != 0 && known.facts.start_ns != 0 && known.facts.start_ns != report.start_ns;
    };
    if (found != known_.end() && other(found->second)) {
        // The number was used again. An owner before this one is only named, and not heard of again.
        if (report.start_ns < found->second.facts.start_ns) return {context_of(report), next_id(), ""};
        end(found->second);
        last_ = nullptr;
        known_.erase(found);
        found = known_.end();
    }
    Known& process = found != known_.end() ? found->second : learn(report);
    if (process.doubt == "gone" && !report.exe.empty()) adopt(process, report);
    process.named = true;
    const bool as_known = process.doubt.empty() && process.facts.exe == report.exe;
    if (report.exe.empty() || as_known) return {process.context, process.id, process.doubt};
    if (process.reported_id == 0 || process.reported_exe != report.exe) {
        process.reported_exe = report.exe;
        process.reported_context = context_of(report);
        process.reported_id = next_id();
    }
    return {process.reported_context, process.reported_id, ""};
}

Processes::Named Processes::named(pid_t pid, std::uint64_t start_ns, const std::string& exe) {
    if (pid <= 0) return {};
    const auto found = known_.find(pid);
    if (found != known_.end() && found->second.facts.start_ns == start_ns && found->second.facts.exe == exe)
        return {found->second.context, found->second.id, found->second.doubt};
    return {std::make_shared<const ProcessContext>(
                ProcessFacts{.pid = pid, .start_ns = start_ns, .exe = exe, .parent = 0}),
            next_id(), ""};
}

void Processes::executes(Known& process, std::string_view program) {
    process.loader_due = true;
    if (process.facts.exe == program) return;
    process.facts.exe = program;
    process.context = std::make_shared<const ProcessContext>(process.facts);
    process.id = next_id();
}

void Processes::forget(pid_t pid) {
    last_ = nullptr;
    const auto found = known_.find(pid);
    if (found->second.named && !found->second.untold) ++forgotten_;
    known_.erase(found);
}

}  // namespace reeve::audit
