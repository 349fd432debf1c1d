// Marks on detached mounts, on the real kernel.
#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/fanotify.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <array>
#include <filesystem>
#include <fstream>

#include "platform/fd.hpp"
#include "platform/watch.hpp"

namespace reeve::platform::watch {
namespace {

class MarkTest : public testing::Test {
  protected:
    void SetUp() override {
        if (geteuid() != 0) GTEST_SKIP() << "fanotify marks on mounts need root";
        char name[] = "/tmp/reeve-mark-XXXXXX";
        ASSERT_NE(mkdtemp(name), nullptr);
        folder_ = name;
        std::ofstream(folder_ / "file") << "x";
    }
    void TearDown() override {
        if (!folder_.empty()) std::filesystem::remove_all(folder_);
    }

    static Fd group(unsigned flags) {
        return Fd(fanotify_init(FAN_CLASS_NOTIF | FAN_NONBLOCK | FAN_CLOEXEC | flags, O_RDONLY | O_CLOEXEC));
    }
    static Fd clone(const std::filesystem::path& path) {
        return Fd(static_cast<int>(
            syscall(SYS_open_tree, AT_FDCWD, path.c_str(), OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC)));
    }
    // The masks of all events that wait in the group, or-ed.
    static std::uint64_t masks(int group) {
        alignas(fanotify_event_metadata) std::array<char, 4096> buffer;
        std::uint64_t seen = 0;
        ssize_t size;
        while ((size = read(group, buffer.data(), buffer.size())) > 0) {
            const auto* event = reinterpret_cast<const fanotify_event_metadata*>(buffer.data());
            for (; FAN_EVENT_OK(event, size); event = FAN_EVENT_NEXT(event, size)) {
                seen |= event->mask;
                Fd used(event->fd);
            }
        }
        return seen;
    }

    std::filesystem::path folder_;
};

TEST_F(MarkTest, ADetachedMountTellsItsFirstOpen) {
    for (const unsigned flags : {static_cast<unsigned>(FAN_REPORT_DFID_NAME), 0U}) {
        const Fd watch = group(flags);
        const Fd mount = clone(folder_);
        ASSERT_TRUE(watch && mount);
        const Status marked = mark_mount(watch.get(), mount.get(), confine::kLogOpens);
        ASSERT_TRUE(marked) << marked.error().text();
        const Fd opened(openat(mount.get(), "file", O_RDONLY | O_CLOEXEC));
        ASSERT_TRUE(opened);
        EXPECT_EQ(masks(watch.get()), FAN_OPEN);
    }
}

TEST_F(MarkTest, TheHostsOwnMountIsNotMarked) {
    const Fd watch = group(FAN_REPORT_DFID_NAME);
    const Fd mount = clone(folder_);
    ASSERT_TRUE(mark_mount(watch.get(), mount.get(), confine::kLogOpens));
    const Fd opened(open((folder_ / "file").c_str(), O_RDONLY | O_CLOEXEC));
    EXPECT_EQ(masks(watch.get()), 0U);
}

TEST_F(MarkTest, TellsOnlyWhatTheZoneLogs) {
    for (const unsigned log : {confine::kLogChanges, confine::kLogWrites}) {
        const Fd watch = group(FAN_REPORT_DFID_NAME);
        const Fd mount = clone(folder_);
        ASSERT_TRUE(mark_mount(watch.get(), mount.get(), log));
        { const Fd read_only(openat(mount.get(), "file", O_RDONLY | O_CLOEXEC)); }
        EXPECT_EQ(masks(watch.get()), 0U);
        { const Fd writing(openat(mount.get(), "file", O_WRONLY | O_CLOEXEC)); }
        EXPECT_EQ(masks(watch.get()), FAN_CLOSE_WRITE);
    }
}

TEST_F(MarkTest, AMountOfOneFileIsMarkedToo) {
    const Fd watch = group(FAN_REPORT_DFID_NAME);
    const Fd mount = clone(folder_ / "file");
    const Status marked = mark_mount(watch.get(), mount.get(), confine::kLogOpens);
    ASSERT_TRUE(marked) << marked.error().text();
    const std::string link = "/proc/self/fd/" + std::to_string(mount.get());
    const Fd opened(open(link.c_str(), O_RDONLY | O_CLOEXEC));
    EXPECT_EQ(masks(watch.get()), FAN_OPEN);
}

TEST_F(MarkTest, RefusedHandlesAreToldApart) {
    const Fd watch = group(FAN_REPORT_DFID_NAME);
    const Fd proc = clone("/proc");  // procfs has no file handles that can be opened again
    const Status refused = mark_mount(watch.get(), proc.get(), confine::kLogOpens);
    ASSERT_FALSE(refused);
    EXPECT_TRUE(refuses_handles(refused.error())) << refused.error().text();
    const Fd by_fd = group(0);
    EXPECT_TRUE(mark_mount(by_fd.get(), proc.get(), confine::kLogOpens));

    const Status no_group = mark_mount(proc.get(), proc.get(), confine::kLogOpens);
    ASSERT_FALSE(no_group);
    EXPECT_FALSE(refuses_handles(no_group.error()));
}

}  // namespace
}  // namespace reeve::platform::watch
