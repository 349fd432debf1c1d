#include "daemon/egress/unspoken.hpp"

#include <utility>

namespace reeve::egress {
namespace {

using Clock = std::chrono::steady_clock;

constexpr const char* kSilent =
    "it did not say what it is for in time, so that nothing could be held against its name";

}  // namespace

Unspoken::~Unspoken() {
    if (timer_ != 0) loop_.cancel(timer_);
}

Unspoken::Id Unspoken::add(GiveUp give_up) {
    const Id id = entries_.insert(entries_.end(), {Clock::now() + limits_.deadline, 0, std::move(give_up)});
    alarm();
    return id;
}

void Unspoken::keep(Id id, std::size_t bytes) {
    id->bytes += bytes;
    bytes_ += bytes;
    while (bytes_ > limits_.bytes && drop_oldest("too much is waiting to be looked at")) continue;
}

void Unspoken::remove(Id id) {
    bytes_ -= id->bytes;
    entries_.erase(id);
}

bool Unspoken::drop_oldest(const char* why) {
    if (entries_.empty()) return false;
    const GiveUp give_up = std::move(entries_.front().give_up);
    remove(entries_.begin());
    give_up(why);
    return true;
}

// One timer for all: all have the same time, so that the first is due first. Where that one is gone by then, it rings once
// for nothing, which is cheaper than to set it at each.
void Unspoken::alarm() {
    if (timer_ != 0 || entries_.empty()) return;
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(entries_.front().due - Clock::now());
    timer_ = loop_.after(std::max(left, std::chrono::milliseconds(0)), [this] { ring(); });
}

void Unspoken::ring() {
    timer_ = 0;
    while (!entries_.empty() && entries_.front().due <= Clock::now()) drop_oldest(kSilent);
    alarm();
}

}  // namespace reeve::egress
