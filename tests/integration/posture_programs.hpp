// The table of programs that the tests of ConfinedExec run, instead of the product's: it is built into the test and into a
// reeve-probe of its own.
#pragma once

#include <span>

#include "platform/posture.hpp"

namespace reeve::platform::posture::test {

std::span<const Program> test_programs();

}  // namespace reeve::platform::posture::test
