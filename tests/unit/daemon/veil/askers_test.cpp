#include "daemon/veil/askers.hpp"

#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <thread>

namespace reeve::veil {
namespace {

TEST(Askers, ReadsWhatProcSays) {
    EXPECT_EQ(Askers::process_in("Name:\tx\nUmask:\t0022\nState:\tS (sleeping)\nTgid:\t4711\nNgid:\t0\n"),
              4711);
    EXPECT_EQ(Askers::process_in("Name:\tTgid:\\n5\n"), 0);
    EXPECT_EQ(Askers::process_in(""), 0);
    Asker asker;
    Askers::read_stat("12 (a) S 99) R 34 12 1 0 -1 4194560 1 0 0 0 7 8 0 0 20 0 1 0 250 1000 2\n", 100,
                      asker);
    EXPECT_EQ(asker.parent, 34);
    EXPECT_EQ(asker.start_ns, 2'500'000'000U);
    Asker none;
    for (const char* text : {"", "12", "12 (a)", "12 (a) S", "12 (a) S x y z"})
        Askers::read_stat(text, 100, none);
    EXPECT_EQ(none.parent, 0);
    EXPECT_EQ(none.start_ns, 0U);
}

TEST(Askers, AThreadIsItsProcess) {
    auto askers = Askers::create();
    ASSERT_TRUE(askers);
    Asker of_thread;
    std::thread([&] { of_thread = askers->of(::gettid()); }).join();
    EXPECT_EQ(of_thread.process, ::getpid());
    EXPECT_EQ(of_thread.parent, ::getppid());
    EXPECT_GT(of_thread.start_ns, 0U);
    EXPECT_TRUE(of_thread.exe.ends_with("test_daemon_veil")) << of_thread.exe;
    EXPECT_EQ(askers->of(0).process, 0);
    EXPECT_EQ(askers->of(0x7FFF'FFFF).process, 0);
}

// The program is not kept: it is another one after an exec.
TEST(Askers, SeesWhatAProcessRunsNow) {
    auto askers = Askers::create();
    ASSERT_TRUE(askers);
    int pipe_fds[2];
    ASSERT_EQ(::pipe(pipe_fds), 0);
    const pid_t child = ::fork();
    if (child == 0) {
        char byte;
        (void)!::read(pipe_fds[0], &byte, 1);
        ::execl("/bin/sleep", "sleep", "60", nullptr);
        ::_exit(1);
    }
    EXPECT_TRUE(askers->of(child).exe.ends_with("test_daemon_veil"));
    (void)!::write(pipe_fds[1], "x", 1);
    std::string exe;
    for (int i = 0; i < 5000 && !exe.ends_with("sleep"); ++i) {
        exe = askers->of(child).exe;
        ::usleep(1000);
    }
    EXPECT_TRUE(exe.ends_with("sleep")) << exe;
    ::kill(child, SIGKILL);
    ::waitpid(child, nullptr, 0);
}

}  // namespace
}  // namespace reeve::veil
