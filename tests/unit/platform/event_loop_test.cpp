#include "platform/linux/event_loop.hpp"

#include <gtest/gtest.h>
#include <sys/epoll.h>
#include <unistd.h>

#include <thread>

namespace reeve::platform {
namespace {

struct Pipe {
    Fd reader, writer;
    Pipe() {
        int ends[2];
        EXPECT_EQ(::pipe(ends), 0);
        reader.reset(ends[0]);
        writer.reset(ends[1]);
    }
    void fill() const { EXPECT_EQ(::write(writer.get(), "x", 1), 1); }
};

TEST(EventLoop, CallsWhoWaitsForADescriptor) {
    auto loop = EventLoop::create().value();
    const Pipe pipe;
    int calls = 0;
    ASSERT_TRUE(loop->watch(pipe.reader.get(), EPOLLIN, [&](std::uint32_t events) {
        EXPECT_TRUE((events & EPOLLIN) != 0);
        if (++calls < 3) return;  // level-triggered: it is still readable
        loop->forget(pipe.reader.get());
        loop->stop();
    }));
    pipe.fill();
    ASSERT_TRUE(loop->run());
    EXPECT_EQ(calls, 3);
}

TEST(EventLoop, WhoIsForgottenInThisTurnIsNotCalled) {
    auto loop = EventLoop::create().value();
    const Pipe first, second;
    int calls = 0;
    const auto handler = [&](int other) {
        return [&, other](std::uint32_t) {
            ++calls;
            loop->forget(other);
            loop->forget(first.reader.get());
            loop->forget(second.reader.get());
            loop->stop();
        };
    };
    ASSERT_TRUE(loop->watch(first.reader.get(), EPOLLIN, handler(second.reader.get())));
    ASSERT_TRUE(loop->watch(second.reader.get(), EPOLLIN, handler(first.reader.get())));
    first.fill();
    second.fill();
    ASSERT_TRUE(loop->run());
    EXPECT_EQ(calls, 1);
}

TEST(EventLoop, TimersComeInTheirOrderAndACancelledOneNever) {
    auto loop = EventLoop::create().value();
    std::string order;
    loop->after(std::chrono::milliseconds(3), [&] { order += "b"; });
    loop->after(std::chrono::milliseconds(1), [&] { order += "a"; });
    const auto never = loop->after(std::chrono::milliseconds(2), [&] { order += "x"; });
    loop->cancel(never);
    loop->after(std::chrono::milliseconds(4), [&] { loop->stop(); });
    ASSERT_TRUE(loop->run());
    EXPECT_EQ(order, "ab");
}

TEST(EventLoop, OtherThreadsHandWorkOver) {
    auto loop = EventLoop::create().value();
    const auto own = std::this_thread::get_id();
    int done = 0;
    std::thread other([&] {
        for (int i = 0; i < 1000; ++i)
            loop->post([&] {
                EXPECT_EQ(std::this_thread::get_id(), own);
                ++done;
            });
        loop->stop();
    });
    ASSERT_TRUE(loop->run());
    other.join();
    EXPECT_EQ(done, 1000);
}

}  // namespace
}  // namespace reeve::platform
