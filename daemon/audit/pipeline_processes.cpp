#include "daemon/audit/pipeline_processes.hpp"

#include <algorithm>

namespace reeve::audit {
namespace {

constexpr std::size_t kMostKnown = 4096;  // each holds a descriptor

std::uint64_t next_id() {
    static std::uint64_t id = 0;  // one thread takes all events
    return ++id;
}

}  // namespace

Processes::Processes(std::uint64_t pid_namespace, std::size_t queues) : pid_namespace_(pid_namespace) {
    empty_at_.fill(UINT64_MAX);
    for (std::size_t i = 0; i < std::min(queues, kMostQueues); ++i) empty_at_[i] = 0;
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

Processes::Known& Processes::learn(pid_t pid, std::span<const platform::watch::Event> rest) {
    if (known_.size() >= kMostKnown) forget(known_.begin()->first);
    Known& process = known_[pid];
    process.id = next_id();
    process.facts.pid = pid;
    auto now = platform::watch::look_up(pid);
    process.untold = pid <= 0;
    if (now && pid_namespace_ != 0 && now->pid_namespace != pid_namespace_) {
        now.reset();
        process.untold = true;
    }
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
