// Defences that a test can leave out, to show that what they stop would work without them.
//
// Only reeve-keeper-holes has any, which is never installed: it reads their names, a line each, from the file
// `keeper-holes` beside it when it starts.
#pragma once

#include <string_view>

namespace reeve::keeper {

#ifdef REEVE_TEST_HOLES
bool lacks(std::string_view defence);
#else
constexpr bool lacks(std::string_view) {
    return false;
}
#endif

}  // namespace reeve::keeper
