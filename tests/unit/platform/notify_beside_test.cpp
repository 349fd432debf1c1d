// A thread that is bound for a moment has its own CPUs again afterwards.
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include "platform/linux/notify/beside.hpp"

namespace reeve::platform::notify {
namespace {

class Sleeper : public testing::Test {
  protected:
    void SetUp() override {
        ASSERT_EQ(::sched_getaffinity(0, sizeof all_, &all_), 0);
        if (CPU_COUNT(&all_) < 2) GTEST_SKIP() << "there is one CPU";
        pid_ = ::fork();
        if (pid_ == 0) {
            ::pause();
            ::_exit(0);
        }
    }
    void TearDown() override {
        if (pid_ <= 0) return;
        ::kill(pid_, SIGKILL);
        ::waitpid(pid_, nullptr, 0);
    }
    int cpus() const {
        cpu_set_t set;
        return ::sched_getaffinity(pid_, sizeof set, &set) == 0 ? CPU_COUNT(&set) : -1;
    }
    pid_t pid_ = 0;
    cpu_set_t all_;
};

TEST_F(Sleeper, IsBoundAndFreeAgain) {
    const int before = cpus();
    {
        const Beside beside(pid_);
        EXPECT_EQ(cpus(), 1);
    }
    EXPECT_EQ(cpus(), before);
}

TEST_F(Sleeper, KeepsAMaskThatItWasGivenMeanwhile) {
    cpu_set_t here, other;
    {
        const Beside beside(pid_);
        ASSERT_EQ(::sched_getaffinity(pid_, sizeof here, &here), 0);
        other = all_;
        for (int cpu = 0; cpu < CPU_SETSIZE; ++cpu)
            if (CPU_ISSET(cpu, &here)) CPU_CLR(cpu, &other);
        ASSERT_EQ(::sched_setaffinity(pid_, sizeof other, &other), 0);
    }
    cpu_set_t now;
    ASSERT_EQ(::sched_getaffinity(pid_, sizeof now, &now), 0);
    EXPECT_TRUE(CPU_EQUAL(&now, &other));
}

TEST_F(Sleeper, ThatIsNoMoreIsNoError) {
    ::kill(pid_, SIGKILL);
    ::waitpid(pid_, nullptr, 0);
    const Beside beside(pid_);
    pid_ = 0;
}

}  // namespace
}  // namespace reeve::platform::notify
