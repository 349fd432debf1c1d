#include "platform/linux/confine/networks.hpp"

#include <algorithm>
#include <string>
#include <utility>

namespace reeve::platform::confine {

Status Networks::make() {
    park();
    current_.reset();
    if (auto s = enter_new_network(); !s) return s;
    current_.emplace(++last_number_, network::build_doors());
    return {};
}

// The process is about to leave it for another, and who has taken its doors will ask for it.
void Networks::park() {
    if (!current_ || !current_->taken) return;
    auto own = Namespaces::own();
    if (!own) return;  // asked for, it is an Error
    parked_.emplace_back(current_->number, std::move(*own));
    if (parked_.size() > kMostParked) parked_.pop_front();
}

Status Networks::prepare() {
    return current_ ? Status() : make();
}

Result<Networks::Taken> Networks::take_doors() {
    if (!is_free() || !current_->doors)
        if (auto s = make(); !s) return std::unexpected(s.error());
    if (!current_->doors) return std::unexpected(current_->doors.error());
    current_->taken = true;
    return Taken{current_->number, std::move(*current_->doors)};
}

Status Networks::enter(std::uint64_t number) {
    if (number == 0) return is_free() ? Status() : make();
    if (current_ && current_->number == number && current_->taken) return {};
    const auto kept = std::ranges::find(parked_, number, &Parked::number);
    if (kept == parked_.end())
        return error("enter the network whose doors were taken", std::to_string(number),
                     "it is not there any more", "start the session again");
    const Parked wanted = std::move(*kept);
    parked_.erase(kept);
    park();
    current_.reset();
    if (auto s = wanted.namespaces.enter(); !s) return s;
    current_.emplace(number, network::Doors(), true);
    return {};
}

}  // namespace reeve::platform::confine
