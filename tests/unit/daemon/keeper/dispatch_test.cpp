// The list of calls that are handed over, and the table of those that are answered, are one.
#include "daemon/keeper/dispatch.hpp"

#include <gtest/gtest.h>

#include "platform/linux/notify/calls.hpp"

namespace reeve::keeper {
namespace {

TEST(Dispatch, EveryTrappedCallHasAHandlerAndNoOther) {
    std::size_t handlers = 0;
    for (int number = -1; number < 1000; ++number) handlers += handler_of(number) != nullptr;
    EXPECT_EQ(handlers, platform::notify::kTrappedCalls.size());
    for (const auto& call : platform::notify::kTrappedCalls) {
        const Handler* handler = handler_of(call.number);
        ASSERT_NE(handler, nullptr) << call.name;
        EXPECT_EQ(handler->number, call.number);
    }
}

// "renameat2" is reported as "rename": the name without "at" and digits.
TEST(Dispatch, OperationsAreTheNamesWithoutAtAndDigits) {
    for (const auto& call : platform::notify::kTrappedCalls) {
        std::string name = call.name;
        if (name == "futimesat") name = "utimesat";
        if (name.ends_with('2')) name.pop_back();
        if (name.ends_with("at") && name != "creat") name.resize(name.size() - 2);
        if (name == "fchmod" && std::string(call.name) != "fchmod") name = "chmod";
        if (name == "fchown" && std::string(call.name) != "fchown") name = "chown";
        EXPECT_EQ(handler_of(call.number)->operation, name) << call.name;
    }
}

}  // namespace
}  // namespace reeve::keeper
