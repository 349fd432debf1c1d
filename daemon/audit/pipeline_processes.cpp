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

void Processes::turn_begins() {
    ++turn_;
    for (auto tokens = ends_.collect(); !tokens.empty(); tokens = ends_.collect()) {
        for (const std::uint64_t token : tokens) {
            const auto found = known_.find(static_cast<pid_t>(token));
            if (found == known_.end()) continue;
            found->second.ended = true;
            found->second.pidfd.reset();
            some_ended_ = true;
        }
    }
    last_ = nullptr;
}

void Processes::drained() {
    if (!some_ended_) return;
    last_ = nullptr;
    some_ended_ = false;
    std::erase_if(known_, [](const auto& entry) { return entry.second.ended; });
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
    if (now && pid_namespace_ != 0 && now->pid_namespace != pid_namespace_) now.reset();
    if (!now || !ends_.add(now->pidfd, static_cast<std::uint64_t>(pid))) {
        process.doubt = "gone";
        process.ended = some_ended_ = true;
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
    known_.erase(pid);
}

}  // namespace reeve::audit
