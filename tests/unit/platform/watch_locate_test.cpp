// Handles to paths, and processes, on the real kernel.
#include <fcntl.h>
#include <gtest/gtest.h>
#include <poll.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/vfs.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstring>
#include <filesystem>
#include <fstream>

#include "platform/watch.hpp"

namespace reeve::platform::watch {
namespace {

namespace fs = std::filesystem;

class LocateTest : public testing::Test {
  protected:
    void SetUp() override {
        if (geteuid() != 0) GTEST_SKIP() << "open_by_handle_at needs root";
        char name[] = "/tmp/reeve-locate-XXXXXX";
        ASSERT_NE(mkdtemp(name), nullptr);
        folder_ = name;
        fs::create_directories(folder_ / "zone/a/b");
        add(folder_ / "zone", confine::kLogOpens);
    }
    void TearDown() override {
        if (!folder_.empty()) fs::remove_all(folder_);
    }
    void add(const fs::path& path, unsigned log, bool of_host = true) {
        Place place;
        place.path = path;
        place.root.reset(open(path.c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC));
        place.log = log;
        place.of_host = of_host;
        const Status added = locator_.add(std::move(place));
        ASSERT_TRUE(added) << added.error().text();
    }
    // As an event would name it.
    static std::string handle_of(const fs::path& directory) {
        struct statfs system;
        EXPECT_EQ(statfs(directory.c_str(), &system), 0);
        alignas(file_handle) char bytes[sizeof(file_handle) + MAX_HANDLE_SZ];
        auto* handle = reinterpret_cast<file_handle*>(bytes);
        handle->handle_bytes = MAX_HANDLE_SZ;
        int mount = 0;
        EXPECT_EQ(name_to_handle_at(AT_FDCWD, directory.c_str(), handle, &mount, 0), 0);
        return std::string(reinterpret_cast<const char*>(&system.f_fsid), sizeof system.f_fsid) +
               std::string(bytes, sizeof(file_handle) + handle->handle_bytes);
    }
    // Path of `name` there, in a turn of its own.
    std::string located(const std::string& handle, std::string_view name = "file") {
        Event event;
        event.directory = handle;
        event.name = name;
        locator_.begin_turn();
        last_ = locator_.locate(event);
        std::string path;
        last_.path(path);
        EXPECT_TRUE(last_.equals(path));
        EXPECT_FALSE(last_.equals(path + "x"));
        return path;
    }

    fs::path folder_;
    Locator locator_{16};
    Location last_;
};

TEST_F(LocateTest, AFileOfAZone) {
    EXPECT_EQ(located(handle_of(folder_ / "zone/a/b")), folder_ / "zone/a/b/file");
    EXPECT_EQ(last_.log, confine::kLogOpens);
    EXPECT_EQ(located(handle_of(folder_ / "zone/a"), "."), folder_ / "zone/a");
}

TEST_F(LocateTest, ARenameAboveGivesTheNewPath) {
    const std::string handle = handle_of(folder_ / "zone/a/b");
    EXPECT_EQ(located(handle), folder_ / "zone/a/b/file");
    fs::rename(folder_ / "zone/a", folder_ / "zone/other");
    EXPECT_EQ(located(handle), folder_ / "zone/other/b/file");
}

TEST_F(LocateTest, MovedOutOfTheZoneIsStillTold) {
    const std::string handle = handle_of(folder_ / "zone/a/b");
    located(handle);
    fs::rename(folder_ / "zone/a/b", folder_ / "outside");
    EXPECT_EQ(located(handle), folder_ / "outside/file");
    EXPECT_EQ(last_.log, confine::kLogOpens) << "nothing is left out by mistake";
}

TEST_F(LocateTest, ADeletedDirectoryKeepsItsLastPath) {
    const std::string handle = handle_of(folder_ / "zone/a/b");
    located(handle);
    fs::remove(folder_ / "zone/a/b");
    EXPECT_EQ(located(handle), folder_ / "zone/a/b/file");
    EXPECT_TRUE(last_.deleted);
}

TEST_F(LocateTest, DeletedBeforeItWasLookedAt) {
    const std::string handle = handle_of(folder_ / "zone/a/b");
    fs::remove(folder_ / "zone/a/b");
    EXPECT_EQ(located(handle), "file");
    EXPECT_TRUE(last_.deleted);
}

TEST_F(LocateTest, ANameThatOnlyLooksDeleted) {
    fs::create_directory(folder_ / "zone/a (deleted)");
    EXPECT_EQ(located(handle_of(folder_ / "zone/a (deleted)")), folder_ / "zone/a (deleted)/file");
    EXPECT_FALSE(last_.deleted);
}

TEST_F(LocateTest, BytesThatAreNotText) {
    const fs::path odd = folder_ / "zone" / "\xff\xfe\n\"";
    fs::create_directory(odd);
    EXPECT_EQ(located(handle_of(odd), "\x80"), odd / "\x80");
}

TEST_F(LocateTest, TheInnermostPlaceDecidesWhatIsLogged) {
    add(folder_ / "zone/a", confine::kLogChanges);
    located(handle_of(folder_ / "zone/a/b"));
    EXPECT_EQ(last_.log, confine::kLogChanges);
    located(handle_of(folder_ / "zone"));
    EXPECT_EQ(last_.log, confine::kLogOpens);
}

TEST_F(LocateTest, MoreDirectoriesThanDescriptors) {
    std::vector<std::string> handles;
    for (int i = 0; i < 100; ++i) {
        const fs::path path = folder_ / "zone" / std::to_string(i);
        fs::create_directory(path);
        handles.push_back(handle_of(path));
    }
    const auto descriptors = [] {
        return std::distance(fs::directory_iterator("/proc/self/fd"), fs::directory_iterator());
    };
    const auto before = descriptors();
    for (int round = 0; round < 2; ++round) {
        for (int i = 0; i < 100; ++i)
            EXPECT_EQ(located(handles[static_cast<std::size_t>(i)]),
                      folder_ / "zone" / std::to_string(i) / "file");
    }
    EXPECT_LE(descriptors(), before + 16);
}

TEST_F(LocateTest, AnUnknownFileSystemIsTold) {
    EXPECT_EQ(located(std::string(8, '\x7f') + std::string(20, '\0')), "file");
    EXPECT_EQ(located("x"), "file");
    EXPECT_EQ(last_.log, ~0U);
}

TEST_F(LocateTest, ADetachedPrivateMountHasItsPlaceInside) {
    const Fd made(static_cast<int>(syscall(SYS_fsopen, "tmpfs", FSOPEN_CLOEXEC)));
    ASSERT_EQ(syscall(SYS_fsconfig, made.get(), FSCONFIG_CMD_CREATE, nullptr, nullptr, 0), 0);
    Fd mount(static_cast<int>(syscall(SYS_fsmount, made.get(), FSMOUNT_CLOEXEC, 0)));
    ASSERT_TRUE(mount);
    ASSERT_EQ(mkdirat(mount.get(), "sub", 0700), 0);
    const std::string link = "/proc/self/fd/" + std::to_string(mount.get());
    const std::string root = handle_of(link + "/."), sub = handle_of(link + "/sub");
    Place place;
    place.path = "/tmp";
    place.root = std::move(mount);
    place.of_host = false;
    ASSERT_TRUE(locator_.add(std::move(place)));
    EXPECT_EQ(located(root), "/tmp/file");
    EXPECT_EQ(located(sub), "/tmp/sub/file");
}

TEST(LookUp, TellsAProcessAndItsEnd) {
    int pipe_ends[2];
    ASSERT_EQ(pipe2(pipe_ends, O_CLOEXEC), 0);
    Fd from(pipe_ends[0]), to(pipe_ends[1]);
    const pid_t child = fork();
    if (child == 0) {
        char byte;
        to.reset();
        _exit(read(from.get(), &byte, 1) == 0 ? 0 : 1);
    }
    const std::optional<Process> process = look_up(child);
    ASSERT_TRUE(process);
    EXPECT_EQ(process->parent, getpid());
    EXPECT_EQ(process->exe, fs::read_symlink("/proc/self/exe"));
    EXPECT_GT(process->start_ns, 0U);
    EXPECT_NE(process->pid_namespace, 0U);

    Ends ends;
    ASSERT_TRUE(ends.add(process->pidfd, 7));
    EXPECT_TRUE(ends.collect().empty());
    to.reset();
    pollfd wait{process->pidfd.get(), POLLIN, 0};
    ASSERT_EQ(poll(&wait, 1, 10'000), 1);
    const auto tokens = ends.collect();
    ASSERT_EQ(tokens.size(), 1U);
    EXPECT_EQ(tokens[0], 7U);
    EXPECT_TRUE(ends.collect().empty());
    EXPECT_FALSE(look_up(child)) << "a zombie is no process to ask";
    EXPECT_EQ(waitpid(child, nullptr, 0), child);
    EXPECT_FALSE(look_up(child));
}

}  // namespace
}  // namespace reeve::platform::watch
