// Which files have names of others.
#include "daemon/keeper/links.hpp"

#include <gtest/gtest.h>

namespace reeve::keeper {
namespace {

struct stat file(nlink_t links, ino_t number = 7) {
    struct stat status {};
    status.st_mode = S_IFREG | 0644;
    status.st_dev = 1;
    status.st_ino = number;
    status.st_nlink = links;
    return status;
}

TEST(Links, OneNameIsNobodyElses) {
    Links links;
    EXPECT_FALSE(links.foreign(file(1)));
    EXPECT_FALSE(links.foreign(file(0)));
    struct stat directory = file(5);
    directory.st_mode = S_IFDIR | 0755;
    EXPECT_FALSE(links.foreign(directory));
}

TEST(Links, WhatTheSessionMadeIsItsOwn) {
    Links links;
    links.adds(file(1));
    links.added(file(1));
    EXPECT_FALSE(links.foreign(file(2)));
    EXPECT_FALSE(links.foreign(file(2)));
    links.removes(file(2));
    links.removed(file(2));
    EXPECT_FALSE(links.foreign(file(1)));
    EXPECT_TRUE(links.foreign(file(2))) << "this one is somebody else's";
}

TEST(Links, OneOfBeforeIsRemembered) {
    Links links;
    links.adds(file(2));  // a third name hides nothing
    links.added(file(2));
    links.removes(file(3));
    links.removed(file(3));
    EXPECT_TRUE(links.foreign(file(2)));
    links.adds(file(2));
    links.added(file(2));
    links.added(file(3));
    EXPECT_TRUE(links.foreign(file(4)));
}

TEST(Links, TheFirstNameOfATemporaryFileIsNoSecondOne) {
    Links links;
    links.adds(file(0));
    links.added(file(0));
    EXPECT_TRUE(links.foreign(file(2)));
}

TEST(Links, ANumberIsUsedAgain) {
    Links links;
    EXPECT_TRUE(links.foreign(file(2)));
    links.removes(file(1));
    links.removed(file(1));
    links.adds(file(1));
    links.added(file(1));
    EXPECT_FALSE(links.foreign(file(2)));
    EXPECT_TRUE(links.foreign(file(2, 8)));
}

}  // namespace
}  // namespace reeve::keeper
