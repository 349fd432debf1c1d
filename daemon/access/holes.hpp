// Defences that a test can leave out, to show that what they stop would work without them.
//
// Only reeve-keeper-holes and reeve-egress-holes have any, which are never installed: they read their names, a line
// each, from the file `holes` beside them when they start.
#pragma once

#include <string_view>

namespace reeve::access {

#ifdef REEVE_TEST_HOLES
bool lacks(std::string_view defence);
#else
constexpr bool lacks(std::string_view) {
    return false;
}
#endif

}  // namespace reeve::access
