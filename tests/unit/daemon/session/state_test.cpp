// An agent's state directory: whose it is, and where none is made.
#include "daemon/session/state.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>

namespace reeve::session {
namespace {

namespace fs = std::filesystem;
using testing::ElementsAre;
using testing::HasSubstr;

constexpr uid_t kUid = 1'899'999'990;

class State : public testing::Test {
  protected:
    void SetUp() override {
        if (::geteuid() != 0) GTEST_SKIP() << "needs root";
        fs::create_directory(home_);
        ASSERT_EQ(::chown(home_.c_str(), kUid, kUid), 0);
        ASSERT_EQ(::chmod(top_.c_str(), 0755), 0);
    }
    ~State() override { fs::remove_all(top_); }

    platform::Status make(const std::string& below) {
        made_.clear();
        return make_state(person_, home_ + "/" + below, made_);
    }
    static mode_t mode_of(const std::string& path) {
        struct stat status {};
        EXPECT_EQ(::lstat(path.c_str(), &status), 0) << path;
        EXPECT_EQ(status.st_uid, kUid);
        EXPECT_EQ(status.st_gid, kUid);
        return status.st_mode & 07777;
    }

    char name_[32] = "/tmp/reeve-state-XXXXXX";
    std::string top_ = ::mkdtemp(name_), home_ = top_ + "/home";
    std::vector<std::string> made_;
    Person person_{.ids = {.uid = kUid, .gid = kUid, .groups = {kUid}, .name = "alice"}, .home = home_};
};

TEST_F(State, ItAndWhatIsMissingAboveAreThePersons) {
    const auto made = make(".config/agent");
    ASSERT_TRUE(made) << made.error().text();
    EXPECT_THAT(made_, ElementsAre(home_ + "/.config", home_ + "/.config/agent"));
    EXPECT_EQ(mode_of(home_ + "/.config"), 0700U);
    EXPECT_EQ(mode_of(home_ + "/.config/agent"), 0700U);
    EXPECT_TRUE(make(".config/agent"));
    EXPECT_THAT(made_, ElementsAre());
    EXPECT_EQ(::geteuid(), 0U);
    // The thread has its own rights again.
    EXPECT_EQ(::mkdir((top_ + "/roots").c_str(), 0700), 0);
    struct stat status {};
    EXPECT_EQ(::stat((top_ + "/roots").c_str(), &status), 0);
    EXPECT_EQ(status.st_uid, 0U);
}

TEST_F(State, NoLinkIsFollowed) {
    fs::create_directory(top_ + "/elsewhere");
    ASSERT_EQ(::chown((top_ + "/elsewhere").c_str(), kUid, kUid), 0);
    fs::create_directory_symlink(top_ + "/elsewhere", home_ + "/.config");
    EXPECT_FALSE(make(".config/agent"));
    EXPECT_FALSE(make(".config"));
    EXPECT_TRUE(fs::is_empty(top_ + "/elsewhere"));
}

TEST_F(State, NothingIsMadeInsideOfWhatIsNotTheirs) {
    fs::create_directory(home_ + "/shared");
    ASSERT_EQ(::chmod((home_ + "/shared").c_str(), 0777), 0);
    const auto made = make("shared/agent");
    ASSERT_FALSE(made);
    EXPECT_THAT(made.error().text(), HasSubstr("somebody else's"));
    EXPECT_TRUE(fs::is_empty(home_ + "/shared"));
}

TEST_F(State, RootsRightsAreNotUsed) {
    ASSERT_EQ(::chmod(home_.c_str(), 0500), 0);
    const auto made = make("agent");
    ASSERT_FALSE(made);
    EXPECT_EQ(made.error().code, EACCES);
}

TEST_F(State, OnlyBelowTheHome) {
    for (const std::string& path : {home_, top_ + "/beside", home_ + "2", std::string("/")})
        EXPECT_FALSE(make_state(person_, path, made_)) << path;
    EXPECT_FALSE(make("../beside"));
    EXPECT_FALSE(make("a/../../beside"));
    EXPECT_FALSE(fs::exists(top_ + "/beside"));
}

}  // namespace
}  // namespace reeve::session
