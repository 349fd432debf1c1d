// The Decider of a session that nobody can be asked about: no, at once, with a reason.
#pragma once

#include <memory>
#include <set>

#include "daemon/egress/decider.hpp"
#include "platform/linux/event_loop.hpp"

namespace reeve::egress {

class NoDecider final : public Decider {
  public:
    explicit NoDecider(platform::EventLoop& loop) : loop_(loop) {}
    std::uint64_t ask(const Question& question, std::function<void(const Answer&)> answered) override;
    void cancel(std::uint64_t id) override { waiting_->erase(id); }

  private:
    platform::EventLoop& loop_;
    std::uint64_t next_ = 1;
    // Shared with what is posted, which may outlive this.
    std::shared_ptr<std::set<std::uint64_t>> waiting_ = std::make_shared<std::set<std::uint64_t>>();
};

}  // namespace reeve::egress
