#include "daemon/audit/denials.hpp"

#include <algorithm>
#include <functional>
#include <utility>

namespace reeve::audit {

void Denials::add(Denial made) {
    Kept denial{std::move(made), 0};
    denial.hash = std::hash<std::string>{}(denial.resource) ^ std::hash<std::string>{}(denial.target);
    const auto same = std::ranges::find_if(denials_, [&](const Kept& other) {
        return other.hash == denial.hash && other.action == denial.action &&
               other.resource == denial.resource && other.target == denial.target &&
               other.rule == denial.rule;
    });
    denial.count = 1;
    if (same != denials_.end()) {
        denial.count += same->count;
        denials_.erase(same);
    } else if (denials_.size() == kMost) {
        denials_.pop_front();
    }
    denial.number = ++last_;
    denials_.push_back(std::move(denial));
}

std::vector<Denial> Denials::since(std::uint64_t number) const {
    const auto first = std::ranges::upper_bound(denials_, number, {}, &Denial::number);
    return {first, denials_.end()};
}

}  // namespace reeve::audit
