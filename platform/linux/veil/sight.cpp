#include "platform/linux/veil/sight.hpp"

#include <string>

namespace reeve::platform::veil {

Sight look(const Judge& judge, std::string_view path) {
    Sight sight{.reading = judge.decide(path, Action::read)};
    sight.shown = sight.reading.allowed();
    for (unsigned a = 0; a < kActions && !sight.shown; ++a)
        sight.shown = judge.decide(path, static_cast<Action>(a)).allowed();
    sight.hidden = !sight.shown && sight.reading.hidden;
    return sight;
}

bool gains(const Judge& judge, std::string_view from, std::string_view to) {
    if (!judge.decide(to, Action::write).allowed()) return true;
    for (unsigned a = 0; a < kActions; ++a) {
        const auto action = static_cast<Action>(a);
        if (judge.decide(to, action).allowed() && !judge.decide(from, action).allowed()) return true;
    }
    return false;
}

bool is_spoken_of(const Judge& judge, std::string_view path) {
    // A name beside it that no pattern spells out.
    const std::string other = std::string(path.substr(0, path.rfind('/') + 1)) + "\x01\x02\x01";
    return !judge.same_below(path, other);
}

}  // namespace reeve::platform::veil
