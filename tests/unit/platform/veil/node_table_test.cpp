#include "platform/linux/veil/node_table.hpp"

#include <fcntl.h>
#include <gtest/gtest.h>

namespace reeve::platform::veil {
namespace {

FdRef some_descriptor() {
    return std::make_shared<const Fd>(::open("/dev/null", O_RDONLY | O_CLOEXEC));
}
constexpr Identity kFile{.device = 1, .inode = 7, .type = S_IFREG};
constexpr Identity kOther{.device = 1, .inode = 8, .type = S_IFREG};

TEST(NodeTable, ANameWithItsObjectIsOneNode) {
    NodeTable nodes(10, 100);
    const auto id = nodes.remember({1, "a"}, kFile, some_descriptor(), true);
    EXPECT_EQ(id, 10U);
    EXPECT_EQ(nodes.remember({1, "a"}, kFile, some_descriptor(), false), id);
    EXPECT_FALSE(nodes.find(id)->shown);
    // Another name of the same inode, another folder, another object under the name: each is another node.
    EXPECT_NE(nodes.remember({1, "b"}, kFile, some_descriptor(), true), id);
    EXPECT_NE(nodes.remember({2, "a"}, kFile, some_descriptor(), true), id);
    const auto replaced = nodes.remember({1, "a"}, kOther, some_descriptor(), true);
    EXPECT_NE(replaced, id);
    EXPECT_EQ(nodes.remember({1, "a"}, kOther, some_descriptor(), true), replaced);
    EXPECT_EQ(nodes.find(id)->identity, kFile);  // the kernel may still ask for it
    EXPECT_EQ(nodes.size(), 4U);
}

TEST(NodeTable, LivesAsLongAsTheKernelKnowsItAndItsNumberIsNeverUsedAgain) {
    NodeTable nodes(10, 100);
    const auto id = nodes.remember({1, "a"}, kFile, some_descriptor(), true);
    nodes.remember({1, "a"}, kFile, some_descriptor(), true);
    nodes.forget(id, 1);
    EXPECT_TRUE(nodes.find(id));
    nodes.forget(id, 1);
    EXPECT_FALSE(nodes.find(id));
    EXPECT_EQ(nodes.size(), 0U);
    EXPECT_EQ(nodes.descriptors(), 0U);
    EXPECT_NE(nodes.remember({1, "a"}, kFile, some_descriptor(), true), id);
    nodes.forget(99, 5);  // one that nobody knows
    nodes.forget(11, 1000);
    EXPECT_EQ(nodes.size(), 0U);
}

TEST(NodeTable, KeepsTheLatestDescriptors) {
    NodeTable nodes(1, 3);
    std::vector<NodeTable::Id> ids;
    for (int i = 0; i < 5; ++i)
        ids.push_back(nodes.remember({1, std::to_string(i)}, kFile, some_descriptor(), true));
    EXPECT_EQ(nodes.descriptors(), 3U);
    EXPECT_FALSE(nodes.find(ids[0])->fd);
    EXPECT_TRUE(nodes.find(ids[2])->fd);  // and is the latest from here on
    nodes.keep(ids[0], some_descriptor());
    EXPECT_TRUE(nodes.find(ids[0])->fd);
    EXPECT_TRUE(nodes.find(ids[2])->fd);
    EXPECT_FALSE(nodes.find(ids[3])->fd);
    nodes.drop_descriptors();
    EXPECT_EQ(nodes.descriptors(), 1U);
    EXPECT_EQ(nodes.size(), 5U);
}

TEST(NodeTable, AnOpenFileKeepsItsDescriptor) {
    NodeTable nodes(1, 2);
    const auto open = nodes.remember({1, "open"}, kFile, some_descriptor(), true);
    nodes.opened(open);
    for (int i = 0; i < 5; ++i) nodes.remember({1, std::to_string(i)}, kFile, some_descriptor(), true);
    EXPECT_TRUE(nodes.find(open)->fd);
    EXPECT_EQ(nodes.descriptors(), 2U);
    nodes.closed(open);
    for (int i = 0; i < 5; ++i) nodes.remember({1, std::to_string(i)}, kFile, some_descriptor(), true);
    EXPECT_FALSE(nodes.find(open)->fd);
}

TEST(NodeTable, ARenameTakesTheNodeAlong) {
    NodeTable nodes(10, 100);
    const auto a = nodes.remember({1, "a"}, kFile, some_descriptor(), true);
    const auto b = nodes.remember({1, "b"}, kOther, some_descriptor(), true);
    nodes.exchanged({1, "a"}, {1, "b"});
    EXPECT_EQ(nodes.remember({1, "b"}, kFile, some_descriptor(), true), a);
    EXPECT_EQ(nodes.remember({1, "a"}, kOther, some_descriptor(), true), b);
    nodes.moved({1, "b"}, {2, "a"});
    EXPECT_EQ(nodes.find(a)->name, (NodeTable::Name{2, "a"}));
    EXPECT_EQ(nodes.remember({2, "a"}, kFile, some_descriptor(), true), a);
    // Onto another: that has no name any more, and lives until it is forgotten.
    nodes.moved({2, "a"}, {1, "a"});
    EXPECT_TRUE(nodes.find(b));
    EXPECT_EQ(nodes.remember({1, "a"}, kFile, some_descriptor(), true), a);
    nodes.forget(b, 2);
    EXPECT_EQ(nodes.remember({1, "a"}, kFile, some_descriptor(), true), a);
    // Names that are not known: nothing happens.
    nodes.moved({5, "x"}, {5, "y"});
    nodes.exchanged({5, "x"}, {5, "y"});
    nodes.exchanged({1, "a"}, {5, "y"});
    EXPECT_EQ(nodes.remember({5, "y"}, kFile, some_descriptor(), true), a);
    nodes.removed({5, "y"});
    EXPECT_NE(nodes.remember({5, "y"}, kFile, some_descriptor(), true), a);
}

TEST(NodeTable, IdleOnesAreThoseThatNobodyAskedFor) {
    NodeTable nodes(1, 100);
    std::vector<NodeTable::Id> ids;
    for (int i = 0; i < 10; ++i)
        ids.push_back(nodes.remember({1, std::to_string(i)}, kFile, some_descriptor(), true));
    EXPECT_TRUE(nodes.idle(10, 100).empty());
    nodes.find(ids[0]);
    nodes.opened(ids[1]);
    const auto idle = nodes.idle(6, 100);
    ASSERT_EQ(idle.size(), 4U);
    EXPECT_EQ(idle[0].name, "2");
    EXPECT_EQ(idle[3].name, "5");
    EXPECT_EQ(nodes.idle(6, 2).size(), 2U);
    EXPECT_EQ(nodes.idle(0, 2)[0].name, "8");  // others than before
}

}  // namespace
}  // namespace reeve::platform::veil
