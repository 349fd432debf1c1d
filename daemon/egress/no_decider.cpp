#include "daemon/egress/no_decider.hpp"

namespace reeve::egress {

std::uint64_t NoDecider::ask(const Question& question, std::function<void(const Answer&)> answered) {
    const std::uint64_t id = next_++;
    waiting_->insert(id);
    const std::string& of_rule = question.reason.empty() ? question.rule : question.reason;
    Answer no{.reason = "asks are not available yet" + (of_rule.empty() ? "" : ": " + of_rule)};
    loop_.post([id, no = std::move(no), waiting = std::weak_ptr(waiting_), answered = std::move(answered)] {
        const auto still = waiting.lock();
        if (still && still->erase(id) != 0) answered(no);
    });
    return id;
}

}  // namespace reeve::egress
