// Where a held object is, on a real tmpfs or whatever /dev/shm is.
#include "daemon/keeper/tree.hpp"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <linux/openat2.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>

namespace reeve::keeper {
namespace {

namespace fs = std::filesystem;
using platform::Fd;

class TreeOf : public testing::Test {
  protected:
    TreeOf() : tree_(Fd(::open("/", O_PATH | O_CLOEXEC))) {
        std::string name = (fs::temp_directory_path() / "reeve-tree-XXXXXX").string();
        root_ = ::mkdtemp(name.data());
    }
    ~TreeOf() override { fs::remove_all(root_); }
    Fd hold(const fs::path& path) const { return Fd(::open(path.c_str(), O_PATH | O_NOFOLLOW | O_CLOEXEC)); }
    Seen look(const Fd& fd) const { return tree_.look(fd.get()).value(); }
    void make(const fs::path& path) const { Fd(::open(path.c_str(), O_CREAT | O_WRONLY | O_CLOEXEC, 0600)); }

    Tree tree_;
    fs::path root_;
};

TEST_F(TreeOf, FollowsAnObject) {
    fs::create_directories(root_ / "a/b");
    const Fd b = hold(root_ / "a/b");
    EXPECT_EQ(look(b).path, root_ / "a/b");
    EXPECT_TRUE(look(b).inside);
    fs::rename(root_ / "a", root_ / "c");
    EXPECT_EQ(look(b).path, root_ / "c/b");
    fs::remove(root_ / "c/b");
    EXPECT_TRUE(look(b).deleted);
    EXPECT_EQ(look(b).path, root_ / "c/b");
}

TEST_F(TreeOf, ANameMayEndLikeTheKernelsMark) {
    const fs::path odd = root_ / "x (deleted)";
    fs::create_directory(odd);
    const Fd fd = hold(odd);
    EXPECT_FALSE(look(fd).deleted);
    EXPECT_EQ(look(fd).path, odd);
    fs::remove(odd);
    EXPECT_TRUE(look(fd).deleted);
    EXPECT_EQ(look(fd).path, odd);
}

TEST_F(TreeOf, AFileThatLostOneOfItsNames) {
    make(root_ / "one");
    fs::create_hard_link(root_ / "one", root_ / "two");
    const Fd fd = hold(root_ / "one");
    fs::remove(root_ / "one");
    EXPECT_TRUE(look(fd).deleted);
    EXPECT_EQ(look(fd).path, root_ / "one");
}

TEST_F(TreeOf, WhatHasNoPlaceInATree) {
    int ends[2];
    ASSERT_EQ(::pipe2(ends, O_CLOEXEC), 0);
    const Fd first(ends[0]), second(ends[1]);
    EXPECT_FALSE(look(first).inside);
    EXPECT_TRUE(look(first).path.starts_with("pipe:"));
}

TEST_F(TreeOf, OpensAgainTheVeryObject) {
    make(root_ / "one");
    const Fd fd = hold(root_ / "one");
    fs::rename(root_ / "one", root_ / "two");
    make(root_ / "one");
    const Fd again(::openat(tree_.links(), Tree::link_of(fd.get()).text, O_RDONLY | O_CLOEXEC));
    struct stat held {
    }, opened{};
    ASSERT_EQ(::fstat(fd.get(), &held), 0);
    ASSERT_EQ(::fstat(again.get(), &opened), 0);
    EXPECT_EQ(held.st_ino, opened.st_ino);
}

}  // namespace
}  // namespace reeve::keeper
