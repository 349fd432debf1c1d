// What of an object a session sees: all of it, its name and kind, or nothing. The same for every call that could show
// something, so that they cannot disagree.
#pragma once

#include <string_view>

#include "platform/linux/veil/judge.hpp"

namespace reeve::platform::veil {

struct Sight {
    bool shown = false;   // some action is allowed: its attributes are the host's
    bool hidden = false;  // it does not exist; else, where it is not shown, its kind is all there is
    Ruling reading;       // the decision about reading it, which reports of a mere look name
};

Sight look(const Judge& judge, std::string_view path);

// Whether an object that moves from one path to the other, or gets the other as well, would gain something: an action
// that is allowed at the new path and not at the old one, or what is written at a path where that is not allowed.
bool gains(const Judge& judge, std::string_view from, std::string_view to);

// Whether policy says of names below this path what it does not say of names below others beside it. No symbolic link
// may stand there, wherever it leads: who follows it on the host finds what was judged by other names.
bool is_spoken_of(const Judge& judge, std::string_view path);

}  // namespace reeve::platform::veil
