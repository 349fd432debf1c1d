#include "daemon/veil/policy_judge.hpp"

#include <time.h>

namespace reeve::veil {
namespace {

using platform::veil::Action;
using platform::veil::Ruling;

static_assert(platform::veil::kActions == policy::kFileActions);
static_assert(static_cast<int>(Action::list) == static_cast<int>(policy::FileAction::list) &&
              static_cast<int>(Action::read) == static_cast<int>(policy::FileAction::read) &&
              static_cast<int>(Action::write) == static_cast<int>(policy::FileAction::write) &&
              static_cast<int>(Action::create) == static_cast<int>(policy::FileAction::create) &&
              static_cast<int>(Action::remove) == static_cast<int>(policy::FileAction::remove) &&
              static_cast<int>(Action::rename) == static_cast<int>(policy::FileAction::rename) &&
              static_cast<int>(Action::link) == static_cast<int>(policy::FileAction::link) &&
              static_cast<int>(Action::execute) == static_cast<int>(policy::FileAction::execute) &&
              static_cast<int>(Action::attributes) == static_cast<int>(policy::FileAction::attributes));
static_assert(static_cast<int>(Ruling::Verdict::allow) == static_cast<int>(policy::Verdict::allow) &&
              static_cast<int>(Ruling::Verdict::ask) == static_cast<int>(policy::Verdict::ask) &&
              static_cast<int>(Ruling::Verdict::deny) == static_cast<int>(policy::Verdict::deny));

std::uint64_t now_ns() {
    struct timespec now {};
    ::clock_gettime(CLOCK_MONOTONIC, &now);
    return static_cast<std::uint64_t>(now.tv_sec) * 1'000'000'000 + static_cast<std::uint64_t>(now.tv_nsec);
}

}  // namespace

Ruling PolicyJudge::decide(std::string_view path, Action action) const {
    const auto decision = table_.decide(path, static_cast<policy::FileAction>(action));
    return {.verdict = static_cast<Ruling::Verdict>(decision.verdict),
            .by_rule = decision.decided_by == policy::DecidedBy::rule,
            .enforced = enforces(),
            .hidden = decision.hidden && enforces(),
            .canary = decision.canary,
            .rule = decision.rule};
}

bool PolicyJudge::same_below(std::string_view a, std::string_view b) const {
    return !enforces() || table_.same_below(a, b);
}

bool PolicyJudge::report(const platform::veil::Attempt& attempt) {
    const Asker asker = askers_.of(attempt.thread);
    if (keeper_ != 0 && asker.process == keeper_) return true;
    return add_({.pid = asker.process,
                 .start_ns = asker.start_ns,
                 .parent = asker.parent,
                 .exe = asker.exe,
                 .action = static_cast<policy::FileAction>(attempt.action),
                 .verdict = static_cast<policy::Verdict>(attempt.ruling.verdict),
                 .by_rule = attempt.ruling.by_rule,
                 .directory = attempt.directory,
                 .canary = attempt.ruling.canary && attempt.touched,
                 .error = attempt.error,
                 .monotonic_ns = now_ns(),
                 .operation = attempt.operation,
                 .path = attempt.path,
                 .target = attempt.target,
                 .rule = attempt.ruling.rule});
}

}  // namespace reeve::veil
