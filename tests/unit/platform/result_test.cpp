#include "platform/result.hpp"

#include <gtest/gtest.h>

namespace reeve::platform {
namespace {

TEST(Error, TextNamesAllFourParts) {
    const Error error{.tried = "open",
                      .on = "/etc/reeve",
                      .why = "Permission denied",
                      .todo = "run as root",
                      .code = EACCES};
    EXPECT_EQ(error.text(), "cannot open /etc/reeve: Permission denied; run as root");
}

TEST(Error, OsErrorKeepsErrno) {
    const Result<int> failed = os_error("open", "/x", ENOENT);
    ASSERT_FALSE(failed.has_value());
    EXPECT_EQ(failed.error().code, ENOENT);
    EXPECT_EQ(failed.error().text(), "cannot open /x: No such file or directory");
}

}  // namespace
}  // namespace reeve::platform
