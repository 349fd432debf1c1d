// A file that was opened becomes the caller's: its descriptor is put into the caller's table, our own is closed, and
// only then the caller goes on, so that nothing of it is open here when the caller executes, locks or closes it.
#pragma once

#include "daemon/keeper/work.hpp"

namespace reeve::keeper {

struct Opened {
    platform::Fd file;
    int flags = 0;          // as the caller asked
    bool truncate = false;  // to be done as soon as the caller has its descriptor
    const Name* created =
        nullptr;  // the name that was made for it; removed again if the caller can take no descriptor
};

Answer hand_over(Work& work, Opened opened, const Judgement& judged, Event event);

}  // namespace reeve::keeper
