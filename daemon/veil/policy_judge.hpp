// The veil's judge: the session's policy, and reports of what it was asked.
#pragma once

#include <functional>

#include "daemon/access/report.hpp"
#include "daemon/veil/askers.hpp"
#include "platform/linux/veil/judge.hpp"
#include "policy/table.hpp"

namespace reeve::veil {

class PolicyJudge final : public platform::veil::Judge {
  public:
    using Add = std::function<bool(const access::Report&)>;  // any thread; may wait; as Judge::report()

    // What the thread group `keeper` does is not reported: it does so itself. 0 for none.
    PolicyJudge(policy::Table table, Askers& askers, pid_t keeper, Add add)
        : table_(table), askers_(askers), keeper_(keeper), add_(std::move(add)) {}

    platform::veil::Ruling decide(std::string_view path, platform::veil::Action action) const override;
    bool same_below(std::string_view a, std::string_view b) const override;
    bool report(const platform::veil::Attempt& attempt) override;

  private:
    // Else policy observes: everything is allowed, and told as what it would be.
    bool enforces() const { return table_.mode() == policy::Mode::enforce; }

    policy::Table table_;
    Askers& askers_;
    pid_t keeper_;
    Add add_;
};

}  // namespace reeve::veil
