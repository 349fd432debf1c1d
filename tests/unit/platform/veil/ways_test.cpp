#include "platform/linux/veil/ways.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace reeve::platform::veil {
namespace {

using testing::ElementsAre;

const Way* at(const Ways& ways, std::vector<std::string> names) {
    const Way* way = ways.find(Ways::kRoot);
    for (const auto& name : names)
        if (way != nullptr) way = ways.child(*way, name);
    return way;
}

TEST(Ways, LeadToTheVeiledTreesAndTheirPlaces) {
    const Ways ways(
        {.roots = {"/home/alice", "/srv/data"},
         .places = {"/usr", "/home/alice", "/home/alice/.cache", "/home/alice/work/project", "/home/bob/x"},
         .canaries = {},
         .files = {}});
    EXPECT_EQ(ways.find(Ways::kRoot)->path, "/");
    EXPECT_FALSE(ways.find(Ways::kRoot)->veiled);
    EXPECT_EQ(at(ways, {"usr"}), nullptr);
    EXPECT_EQ(at(ways, {"home", "bob"}), nullptr);
    EXPECT_FALSE(at(ways, {"home"})->veiled);
    EXPECT_TRUE(at(ways, {"home", "alice"})->veiled);
    EXPECT_TRUE(at(ways, {"srv", "data"})->veiled);
    const Way* project = at(ways, {"home", "alice", "work", "project"});
    ASSERT_NE(project, nullptr);
    EXPECT_EQ(project->path, "/home/alice/work/project");
    EXPECT_TRUE(project->veiled);
    EXPECT_EQ(project->kind, Way::Kind::directory);
    EXPECT_EQ(ways.find(project->id), project);
    EXPECT_EQ(at(ways, {"home", "alice", "other"}), nullptr);
    for (std::uint64_t id = 1; id <= ways.last(); ++id) EXPECT_EQ(ways.find(id)->id, id);
    EXPECT_EQ(ways.find(0), nullptr);
    EXPECT_EQ(ways.find(ways.last() + 1), nullptr);
}

TEST(Ways, ToAFileAloneLeadsOnlyWhatTheHostHas) {
    const Ways ways({.roots = {"/home/alice"},
                     .places = {"/home/alice/.config/fish"},
                     .canaries = {"/home/alice/.aws/credentials", "/etc/canary"},
                     .files = {"/home/alice/.bashrc", "/home/alice/.config/git/ignore",
                               "/home/alice/.config/git/config", "/home/alice/.bashrc", "/etc/passwd"}});
    EXPECT_EQ(at(ways, {"home", "alice", ".config"})->kind, Way::Kind::directory);
    EXPECT_EQ(at(ways, {"home", "alice", ".config", "git"})->kind, Way::Kind::host);
    EXPECT_THAT(at(ways, {"home", "alice", ".config", "git"})->files, ElementsAre("config", "ignore"));
    EXPECT_THAT(at(ways, {"home", "alice"})->files, ElementsAre(".bashrc"));
    EXPECT_EQ(at(ways, {"home", "alice", ".bashrc"}), nullptr);
    EXPECT_EQ(at(ways, {"home", "alice", ".aws"})->kind, Way::Kind::directory);
    EXPECT_EQ(at(ways, {"home", "alice", ".aws", "credentials"})->kind, Way::Kind::canary);
    EXPECT_EQ(at(ways, {"etc"}), nullptr);
}

TEST(Ways, AMountPointIsADirectoryWhateverElseItIs) {
    const Ways ways(
        {.roots = {"/h"}, .places = {"/h/a/b", "/h/c"}, .canaries = {"/h/a", "/h/c"}, .files = {"/h/c/d/e"}});
    EXPECT_EQ(at(ways, {"h", "a"})->kind, Way::Kind::directory);
    EXPECT_EQ(at(ways, {"h", "c"})->kind, Way::Kind::directory);
    EXPECT_EQ(at(ways, {"h", "c", "d"})->kind, Way::Kind::host);
}

TEST(Ways, TheWholeTreeCanBeVeiled) {
    const Ways ways({.roots = {"/"}, .places = {"/", "/usr"}, .canaries = {}, .files = {"/passwd"}});
    EXPECT_TRUE(ways.find(Ways::kRoot)->veiled);
    EXPECT_THAT(ways.find(Ways::kRoot)->files, ElementsAre("passwd"));
    EXPECT_NE(at(ways, {"usr"}), nullptr);
}

}  // namespace
}  // namespace reeve::platform::veil
