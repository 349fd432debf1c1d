// The host's tree changes under the veil: what is served is what was decided on, whatever its name leads to by now.
#include <fcntl.h>
#include <linux/fs.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include <atomic>
#include <fstream>
#include <thread>

#include "tests/integration/veil_scene.hpp"

namespace reeve::veil_test {
namespace {

constexpr const char* kFiles = R"(
    {"id": "free", "allow": ["read", "write"], "paths": ["${home}/free/**"]},
    {"id": "secret", "deny": ["read", "write"], "paths": ["${home}/.ssh/**", "**/*.key"]})";

class VeilHost : public testing::Test {
  protected:
    void SetUp() override {
        if (!can_run()) GTEST_SKIP() << "the veil's mount needs root and /dev/fuse";
        options_.files = kFiles;
    }
    void start() {
        scene_.emplace(options_);
        scene_->write("free/file", "free");
        scene_->write("free/folder/file", "free");
        scene_->write(".ssh/file",
                      "KEY!");  // as long as the other: the kernel shows no more than it takes a file to have
        scene_->start();
    }
    Scene& scene() { return *scene_; }

    SceneOptions options_;
    std::optional<Scene> scene_;
};

// Reads a file as whoever calls: what it holds, or "errno N".
std::string text_of(const char* path) {
    const int fd = ::open(path, O_RDONLY);
    if (fd < 0) return "errno " + std::to_string(errno);
    char text[64];
    const auto size = ::read(fd, text, sizeof text);
    ::close(fd);
    return size < 0 ? "errno " + std::to_string(errno) : std::string(text, static_cast<std::size_t>(size));
}

TEST_F(VeilHost, WhatIsThereByNowIsSeen) {
    start();
    EXPECT_EQ(scene().run("cat free/file").out, "free");
    scene().write("free/.new", "saved by rename");
    fs::rename(scene().host("free/.new"), scene().host("free/file"));
    EXPECT_EQ(scene().run("cat free/file; stat -c ' %s' free/file").out, "saved by rename 15\n");
    fs::remove(scene().host("free/file"));
    EXPECT_EQ(scene().run("cat free/file").exit_code, 1);
    EXPECT_EQ(scene().run("ls free").out, "folder\n");
    scene().write("free/file", "again");
    EXPECT_EQ(scene().run("cat free/file; ls free").out, "againfile\nfolder\n");
    fs::rename(scene().host("free/folder"), scene().host("free/moved"));
    fs::create_symlink(scene().home(".ssh"), scene().host("free/folder"));
    EXPECT_EQ(scene().run("cat free/moved/file").out, "free");
    EXPECT_EQ(scene().run("cat free/folder/file").out, "");
    EXPECT_EQ(scene().run("readlink free/folder").out, scene().home(".ssh") + "\n");
    // A folder of the person's that becomes another one.
    fs::rename(scene().host("free"), scene().host("was_free"));
    EXPECT_EQ(scene().run("ls free").exit_code, 2);
    EXPECT_EQ(scene().run("cat was_free/file").exit_code, 1);
}

// A descriptor or directory that a process has keeps to what is decided at the object's path of the moment.
TEST_F(VeilHost, WhatMovedToADeniedPlaceIsDenied) {
    start();
    std::thread mover([&] {
        while (!fs::exists(scene().host("free/ready"))) ::usleep(1000);
        fs::rename(scene().host("free/file"), scene().host(".ssh/moved"));
        fs::rename(scene().host("free/folder"), scene().host(".ssh/folder"));
        scene().write("free/go");
    });
    EXPECT_EQ(scene().as_person([&] {
        const int path = ::open("free/file", O_PATH);
        const int folder = ::open("free/folder", O_PATH | O_DIRECTORY);
        if (path < 0 || folder < 0) return 1;
        const int ready = ::open("free/ready", O_CREAT | O_WRONLY, 0644);
        if (ready < 0) return 2;
        while (::access("free/go", F_OK) != 0) ::usleep(1000);
        if (::openat(AT_FDCWD, ("/proc/self/fd/" + std::to_string(path)).c_str(), O_RDONLY) >= 0) return 3;
        if (::openat(folder, "file", O_RDONLY) >= 0) return 4;
        struct stat status;
        return ::fstat(path, &status) == 0 && status.st_size == 0 ? 0 : 5;
    }),
              0);
    mover.join();
}

// Two names of one inode are decided on by themselves.
TEST_F(VeilHost, HardLinksAreWhatTheirNamesAre) {
    start();
    ASSERT_EQ(::link(scene().host("free/file").c_str(), scene().host("free/file.key").c_str()), 0);
    EXPECT_EQ(
        scene()
            .run("cat free/file; cat free/file.key; cat free/file; stat -c '%s %a' free/file.key free/file")
            .out,
        "freefree0 0\n4 644\n");
}

TEST_F(VeilHost, APathThatLooksDeletedIsWhatItIs) {
    start();
    scene().write("free/a (deleted)", "real");
    EXPECT_EQ(scene().run("cat 'free/a (deleted)'").out, "real");
    const auto done = scene().run(
        "exec 3<>'free/a (deleted)'; rm 'free/a (deleted)'; stat -L -c '%h %s' /proc/self/fd/3; cat <&3");
    EXPECT_EQ(done.out, "0 4\nreal") << done.err;
}

// A denied name does not become another one by being removed: "x.key (deleted)" is what the kernel calls it then, and no
// rule's pattern.
TEST_F(VeilHost, ARemovedNameIsNoNewName) {
    start();
    scene().write("free/secret.key", "SECRET");
    ASSERT_EQ(::link(scene().host("free/secret.key").c_str(), scene().host(".ssh/other").c_str()), 0);
    std::thread remover([&] {
        while (!fs::exists(scene().host("free/ready"))) ::usleep(1000);
        fs::remove(scene().host("free/secret.key"));
        scene().write("free/go");
    });
    EXPECT_EQ(scene().as_person([&] {
        const int path = ::open("free/secret.key", O_PATH);
        if (path < 0 || ::open("free/ready", O_CREAT | O_WRONLY, 0644) < 0) return 1;
        while (::access("free/go", F_OK) != 0) ::usleep(1000);
        struct stat status;
        if (::fstat(path, &status) == 0 && status.st_size != 0) return 2;
        return text_of(("/proc/self/fd/" + std::to_string(path)).c_str()).starts_with("errno ") ? 0 : 3;
    }),
              0);
    remover.join();
}

// A number of the kernel's never comes to mean another object.
TEST_F(VeilHost, AnObjectThatWasReplacedIsNotItsSuccessor) {
    options_.descriptors = 64;
    scene_.emplace(options_);
    for (int i = 0; i < 100; ++i) scene().write("free/" + std::to_string(i), "old");
    scene().start();
    std::thread replacer([&] {
        while (!fs::exists(scene().host("free/ready"))) ::usleep(1000);
        scene().write("free/.new", "the successor");
        fs::rename(scene().host("free/.new"), scene().host("free/0"));
        scene().write("free/go");
    });
    EXPECT_EQ(scene().as_person([&] {
        const int path = ::open("free/0", O_PATH);
        struct stat status;
        for (int i = 1; i < 100; ++i)  // its descriptor in the veil is dropped for these
            if (::stat(("free/" + std::to_string(i)).c_str(), &status) != 0) return 1;
        if (::open("free/ready", O_CREAT | O_WRONLY, 0644) < 0) return 2;
        while (::access("free/go", F_OK) != 0) ::usleep(1000);
        if (::fstat(path, &status) == 0 && status.st_size != 3) return 3;
        return text_of("free/0") == "the successor" ? 0 : 4;
    }),
              0);
    replacer.join();
}

// A name flips between a file that is allowed and a link to one that is not, and a folder likewise: never a byte of the
// other. It fails when a file is opened by its path after the decision.
TEST_F(VeilHost, LateSymlink) {
    start();
    const char* const rounds_text = ::getenv("REEVE_ROUNDS");
    const int rounds = rounds_text != nullptr ? std::atoi(rounds_text) : 10'000;
    fs::create_symlink(scene().home(".ssh/file"), scene().host("free/file.link"));
    fs::create_symlink(scene().home(".ssh"), scene().host("free/folder.link"));
    // As the person's own programs on the host do it: atomically.
    std::atomic<bool> done = false;
    std::atomic<int> failed_flips = 0;
    std::thread flipper([&] {
        const std::string names[] = {scene().host("free/file"), scene().host("free/file.link"),
                                     scene().host("free/folder"), scene().host("free/folder.link")};
        while (!done)
            for (const int i : {0, 2})
                failed_flips += ::renameat2(AT_FDCWD, names[i].c_str(), AT_FDCWD, names[i + 1].c_str(),
                                            RENAME_EXCHANGE) != 0;
    });
    const int failed = scene().as_person([&] {
        int read = 0, refused = 0;
        for (int i = 0; i < rounds; ++i) {
            for (const char* path : {"free/file", "free/folder/file"}) {
                const std::string text = text_of(path);
                if (text != "free" && !text.starts_with("errno ")) return 1;
                read += text == "free";
                refused += text.starts_with("errno ");
            }
        }
        return read > rounds / 20 && refused > rounds / 20 ? 0 : 2;  // both sides were there
    });
    done = true;
    flipper.join();
    EXPECT_EQ(failed, 0);
    EXPECT_EQ(failed_flips, 0);
}

// Descriptors of nodes are a cache: with few of them everything still works, and a session that takes all there are
// gets an errno of its own for it.
TEST_F(VeilHost, FewDescriptors) {
    options_.descriptors = 64;
    scene_.emplace(options_);
    for (int i = 0; i < 300; ++i)
        scene().write("free/many/" + std::to_string(i % 10) + "/" + std::to_string(i), std::to_string(i));
    scene().start();
    EXPECT_EQ(scene()
                  .run("find free/many -type f | wc -l; cat free/many/*/* | wc -c; find free/many -type f | "
                       "xargs cat | wc -c")
                  .out,
              "300\n790\n790\n");
    EXPECT_EQ(scene().as_person([] {
        std::vector<int> open;
        int error = 0;
        while (error == 0 && open.size() < 200) {
            const auto i = open.size();
            const int fd =
                ::open(("free/many/" + std::to_string(i % 10) + "/" + std::to_string(i)).c_str(), O_RDONLY);
            if (fd < 0)
                error = errno;
            else
                open.push_back(fd);
        }
        for (const int fd : open) ::close(fd);
        return error;
    }),
              ENFILE);
    EXPECT_EQ(scene().run("cat free/many/0/0").out, "0");
}

}  // namespace
}  // namespace reeve::veil_test
