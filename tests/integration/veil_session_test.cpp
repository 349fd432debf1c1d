// The veil's side of /dev/fuse in this process: what the kernel knows stays bounded, a judge that waits holds up its
// caller alone, and the end comes when it is asked for.
#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <filesystem>
#include <fstream>
#include <latch>

#include "platform/linux/veil/mount.hpp"
#include "platform/linux/veil/session.hpp"
#include "tests/integration/veil_scene.hpp"

namespace reeve::veil_test {
namespace {

namespace veil = platform::veil;

// Allows all below "free", and counts.
class Allowing final : public veil::Judge {
  public:
    std::atomic<std::uint64_t> reports = 0;
    std::string waits_at;  // the name of a file; whoever opens it waits for `go`
    std::latch go{1};
    std::atomic<bool> taken = true;  // what is reported

    veil::Ruling decide(std::string_view path, veil::Action) const override {
        const bool allowed = path.find("/free") != std::string_view::npos;
        return {.verdict = allowed ? veil::Ruling::Verdict::allow : veil::Ruling::Verdict::deny,
                .by_rule = true};
    }
    bool same_below(std::string_view, std::string_view) const override { return true; }
    bool report(const veil::Attempt& attempt) override {
        ++reports;
        if (!waits_at.empty() && attempt.path.ends_with(waits_at)) go.wait();
        return taken;
    }
};

class VeilSession : public testing::Test {
  protected:
    void SetUp() override {
        if (!can_run()) GTEST_SKIP() << "the veil's mount needs root and /dev/fuse";
        char name[] = "/tmp/reeve-veil-XXXXXX";
        root_ = ::mkdtemp(name);
        outside_.reset(::open("/proc/self/ns/mnt", O_RDONLY | O_CLOEXEC));
        ASSERT_EQ(::unshare(CLONE_NEWNS), 0);
        ASSERT_EQ(::mount(nullptr, "/", nullptr, MS_REC | MS_PRIVATE, nullptr), 0);
        for (const char* folder : {"home", "veil"}) fs::create_directory(root_ / folder);
        ASSERT_EQ(::mount("test", (root_ / "home").c_str(), "tmpfs", 0, nullptr), 0);
        fs::create_directories(root_ / "home/free");
    }
    void TearDown() override {
        if (root_.empty()) return;
        session_.reset();
        ::umount2((root_ / "veil").c_str(), MNT_DETACH);
        ::umount2((root_ / "home").c_str(), MNT_DETACH);
        fs::remove_all(root_);
    }
    void serve(std::size_t most_nodes = veil::Session::kMostNodes) {
        auto mount = veil::make_mount(0, 0);
        ASSERT_TRUE(mount) << mount.error().text();
        const std::string home = root_ / "home";
        veil_.emplace(judge_, std::move(*veil::Host::open()),
                      veil::Options{.layout = {.roots = {home}, .places = {}, .canaries = {}, .files = {}},
                                    .home = home,
                                    .descriptors = 100});
        auto session = veil::Session::create(std::move(mount->fuse), *veil_, most_nodes);
        ASSERT_TRUE(session) << session.error().text();
        session_ = std::move(*session);
        ASSERT_TRUE(session_->start(3));
        session_->serve();
        ASSERT_EQ(::syscall(SYS_move_mount, mount->mount.get(), "", AT_FDCWD, (root_ / "veil").c_str(),
                            MOVE_MOUNT_F_EMPTY_PATH),
                  0);
    }
    // In the veil, from a process of its own: this one must not wait for itself while it is at an end.
    std::string inside(const std::string& path) const {
        return (root_ / "veil").string() + (root_ / "home").string() + "/" + path;
    }
    static pid_t child(const std::function<int()>& body) {
        const pid_t pid = ::fork();
        if (pid == 0) ::_exit(body());
        return pid;
    }
    static int status_of(pid_t pid) {
        int status = -1;
        ::waitpid(pid, &status, 0);
        return status;
    }

    fs::path root_;
    platform::Fd outside_;
    Allowing judge_;
    std::optional<veil::Veil> veil_;
    std::unique_ptr<veil::Session> session_;
};

// It fails when Session::trim() does nothing.
TEST_F(VeilSession, TheKernelForgetsWhatNobodyAsksFor) {
    constexpr int kFiles = 20'000;
    for (int i = 0; i < kFiles; ++i) std::ofstream(root_ / "home/free" / std::to_string(i)).put('x');
    serve(4000);
    ASSERT_EQ(status_of(child([&] {
                  struct stat status;
                  for (int round = 0; round < 2; ++round)
                      for (int i = 0; i < kFiles; ++i)
                          if (::stat(inside("free/" + std::to_string(i)).c_str(), &status) != 0) return 1;
                  return 0;
              })),
              0);
    for (int i = 0; i < 1000 && veil_->nodes().size() > 6000; ++i) ::usleep(5000);
    EXPECT_LE(veil_->nodes().size(), 6000U);
    EXPECT_LE(veil_->nodes().descriptors(), 100U);
}

TEST_F(VeilSession, AFolderThatIsUsedStaysWhileOthersAreForgotten) {
    fs::create_directory(root_ / "home/free/in");
    for (int i = 0; i < 3000; ++i) std::ofstream(root_ / "home/free" / std::to_string(i)).put('x');
    std::ofstream(root_ / "home/free/in/file").put('x');
    serve(500);
    ASSERT_EQ(status_of(child([&] {
                  if (::chdir(inside("free/in").c_str()) != 0) return 1;
                  const int open = ::open("file", O_RDONLY);
                  struct stat status;
                  for (int i = 0; i < 3000; ++i)
                      if (::stat(inside("free/" + std::to_string(i)).c_str(), &status) != 0) return 2;
                  char byte;
                  return ::pread(open, &byte, 1, 0) == 1 && ::stat("file", &status) == 0 &&
                                 ::fstat(open, &status) == 0
                             ? 0
                             : 3;
              })),
              0);
}

TEST_F(VeilSession, AJudgeThatWaitsHoldsUpItsCallerAlone) {
    std::ofstream(root_ / "home/free/slow").put('x');
    std::ofstream(root_ / "home/free/fast").put('x');
    judge_.waits_at = "/slow";
    serve();
    const pid_t slow = child([&] { return ::open(inside("free/slow").c_str(), O_RDONLY) < 0; });
    while (judge_.reports == 0) ::usleep(1000);
    EXPECT_EQ(status_of(child([&] { return ::open(inside("free/fast").c_str(), O_RDONLY) < 0; })), 0);
    EXPECT_EQ(::waitpid(slow, nullptr, WNOHANG), 0);
    judge_.go.count_down();
    EXPECT_EQ(status_of(slow), 0);
}

TEST_F(VeilSession, WhatCannotBeReportedDoesNotHappen) {
    std::ofstream(root_ / "home/free/file").put('x');
    serve();
    judge_.taken = false;
    const auto result = [&](const std::function<int()>& call) {
        return status_of(child([&] { return call() >= 0 ? 0 : errno; })) >> 8;
    };
    EXPECT_EQ(result([&] { return ::open(inside("free/file").c_str(), O_RDONLY); }), EIO);
    EXPECT_EQ(result([&] { return ::open(inside("free/new").c_str(), O_CREAT | O_WRONLY, 0644); }), EIO);
    EXPECT_EQ(result([&] { return ::open(inside("free").c_str(), O_RDONLY | O_DIRECTORY); }), EIO);
    EXPECT_EQ(result([&] { return ::mkdir(inside("free/folder").c_str(), 0755); }), EIO);
    EXPECT_EQ(result([&] { return ::rename(inside("free/file").c_str(), inside("free/other").c_str()); }),
              EIO);
    EXPECT_EQ(result([&] { return ::chmod(inside("free/other").c_str(), 0600); }), EIO);
}

TEST_F(VeilSession, TheMountGivesNoDevicesAndNoRights) {
    serve();
    std::ifstream mounts("/proc/thread-self/mountinfo");
    std::string found;
    for (std::string line; std::getline(mounts, line);)
        if (line.find("reeve-veil") != std::string::npos) found = line;
    EXPECT_NE(found.find("nosuid,nodev"), std::string::npos) << found;
}

TEST_F(VeilSession, EndsWhenItIsToldAndSaysWhenTheFileSystemIsGone) {
    serve();
    EXPECT_EQ(status_of(child([&] {
                  struct stat s;
                  return ::stat(inside("free").c_str(), &s) != 0;
              })),
              0);
    session_->stop();
    session_->stop();
    session_.reset();
    EXPECT_EQ(status_of(child([&] {
                  struct stat s;
                  return ::stat(inside("free").c_str(), &s) == 0 || errno != ENOTCONN;
              })),
              0);
    ::umount2((root_ / "veil").c_str(), MNT_DETACH);
    serve();
    ::umount2((root_ / "veil").c_str(), 0);
    struct pollfd ended {
        .fd = session_->ended(), .events = POLLIN, .revents = 0
    };
    EXPECT_EQ(::poll(&ended, 1, 5000), 1);
}

}  // namespace
}  // namespace reeve::veil_test
