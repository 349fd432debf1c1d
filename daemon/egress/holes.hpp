// Defences that a test can leave out, to show that what they stop would work without them.
//
// Only reeve-egress-holes has any, which is never installed: it reads their names, a line each, from the file
// `egress-holes` beside it when it starts.
#pragma once

#include <string_view>

namespace reeve::egress {

#ifdef REEVE_TEST_HOLES
bool lacks(std::string_view defence);
#else
constexpr bool lacks(std::string_view) {
    return false;
}
#endif

}  // namespace reeve::egress
