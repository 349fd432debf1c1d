// Which function does which call.
#pragma once

#include "daemon/keeper/calls.hpp"

namespace reeve::keeper {

// For each call that the filter hands over (platform/linux/notify/calls.hpp) there is one; null for any other.
struct Handler {
    int number;
    const char* operation;  // what reports call it: without "at" and digits
    Answer (*run)(Work&);
};
const Handler* handler_of(int number);

// Does the call and answers it.
void work_on(Engine& engine, const platform::notify::Call& call);

}  // namespace reeve::keeper
