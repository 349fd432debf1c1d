// Whether an object gains by having another path: something that is denied or asked at the one and not at the other.
#pragma once

#include "daemon/keeper/judge.hpp"

namespace reeve::keeper {

bool gains(const Engine& engine, const Location& from, const Location& to, bool directory);

}  // namespace reeve::keeper
