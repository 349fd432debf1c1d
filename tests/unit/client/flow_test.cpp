// With real pipes, a real terminal pair and a real poll(2).
#include "client/flow.hpp"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <pty.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <termios.h>
#include <unistd.h>

#include <thread>

#include "daemon/api/client_fds.hpp"

namespace reeve::client {
namespace {

using platform::Fd;

// Moves bytes until the flow is done, or nothing more can be moved.
void pump(Flow& flow, int wait_ms = 2000) {
    while (!flow.done()) {
        std::vector<pollfd> all;
        flow.wait_for(all);
        if (all.empty() || ::poll(all.data(), all.size(), wait_ms) <= 0) return;
        flow.move(all);
    }
}

std::string read_all(const Fd& fd) {
    std::string text;
    char piece[65536];
    for (ssize_t got; (got = ::read(fd.get(), piece, sizeof piece)) > 0;)
        text.append(piece, static_cast<std::size_t>(got));
    return text;
}

class FlowTest : public testing::Test {
  protected:
    void SetUp() override {
        ::signal(SIGPIPE, SIG_IGN);
        in_ = std::move(*api::make_pipe());
        out_ = std::move(*api::make_pipe());
    }
    void write_in(const std::string& text) const {
        ASSERT_EQ(::write(in_.writer.get(), text.data(), text.size()), static_cast<ssize_t>(text.size()));
    }
    api::PipeEnds in_, out_;
};

TEST_F(FlowTest, TenMegabytesArriveAsTheyWereWithAReaderThatIsSlow) {
    std::string sent;
    sent.resize(10'000'000);
    for (std::size_t i = 0; i < sent.size(); ++i) sent[i] = static_cast<char>(i * 2654435761U >> 13);
    std::thread writer([&] {
        for (std::size_t at = 0; at < sent.size();) {
            const ssize_t put = ::write(in_.writer.get(), sent.data() + at, sent.size() - at);
            if (put <= 0) break;
            at += static_cast<std::size_t>(put);
        }
        in_.writer.reset();
    });
    std::string got;
    std::thread reader([&] { got = read_all(out_.reader); });
    Flow flow(Side::persons(in_.reader.get()), Side::sessions(std::move(out_.writer)));
    pump(flow);
    writer.join();
    reader.join();
    EXPECT_TRUE(got == sent);
}

TEST_F(FlowTest, TheEndOfTheSourceClosesTheSessionsPipe) {
    write_in("abc");
    in_.writer.reset();
    Flow flow(Side::persons(in_.reader.get()), Side::sessions(std::move(out_.writer)));
    pump(flow);
    EXPECT_TRUE(flow.done());
    EXPECT_EQ(read_all(out_.reader), "abc");           // and then its end: read_all() comes back
    EXPECT_GE(::fcntl(in_.reader.get(), F_GETFD), 0);  // the person's own is left open
}

TEST_F(FlowTest, AReaderThatIsGoneClosesTheSessionsPipeBeforeAnythingIsWritten) {
    out_.reader.reset();
    Flow flow(Side::sessions(std::move(in_.reader)), Side::persons(out_.writer.get()));
    pump(flow);
    EXPECT_TRUE(flow.done());
    EXPECT_EQ(::write(in_.writer.get(), "x", 1), -1);  // what the command meets
    EXPECT_EQ(errno, EPIPE);
    EXPECT_EQ(flow.write_error(), 0);
}

TEST_F(FlowTest, NothingIsReadThatCannotBeWritten) {
    ::fcntl(out_.writer.get(), F_SETPIPE_SZ, 4096);
    ::fcntl(in_.reader.get(), F_SETPIPE_SZ, 1 << 20);
    write_in(std::string(600'000, 'x'));
    Flow flow(Side::sessions(std::move(in_.reader)), Side::persons(out_.writer.get()));
    pump(flow, 50);
    ::fcntl(in_.writer.get(), F_SETFL, O_NONBLOCK);
    const std::string more(1 << 20, 'y');
    const ssize_t taken = ::write(in_.writer.get(), more.data(), more.size());
    EXPECT_LT(taken, 600'000);  // a part still stands in the pipe
}

TEST_F(FlowTest, APersonsDescriptorStaysAsItWas) {
    Flow flow(Side::persons(in_.reader.get()), Side::persons(out_.writer.get()));
    EXPECT_EQ(::fcntl(in_.reader.get(), F_GETFL) & O_NONBLOCK, 0);
    EXPECT_EQ(::fcntl(out_.writer.get(), F_GETFL) & O_NONBLOCK, 0);
}

TEST_F(FlowTest, FinishTakesWhatIsThereThoughTheOtherEndStaysOpen) {
    write_in("the last words");
    Flow flow(Side::sessions(std::move(in_.reader)), Side::persons(out_.writer.get()));
    flow.finish_with_what_is_there();
    (void)!::write(in_.writer.get(), "later", 5);  // of something in the background
    pump(flow);
    EXPECT_TRUE(flow.done());
    out_.writer.reset();
    EXPECT_EQ(read_all(out_.reader), "the last words");
}

TEST_F(FlowTest, FinishTakesMoreThanOneBufferfull) {
    ::fcntl(in_.reader.get(), F_SETPIPE_SZ, 1 << 20);
    write_in(std::string(900'000, 'z'));
    Flow flow(Side::sessions(std::move(in_.reader)), Side::persons(out_.writer.get()));
    std::string got;
    std::thread reader([&] { got = read_all(out_.reader); });
    flow.finish_with_what_is_there();
    pump(flow);
    out_.writer.reset();
    reader.join();
    EXPECT_EQ(got.size(), 900'000U);
}

TEST_F(FlowTest, AHeldSourceIsLeftAlone) {
    write_in("keys");
    Flow flow(Side::persons(in_.reader.get()), Side::sessions(std::move(out_.writer)));
    flow.hold(true);
    pump(flow, 20);
    int there = 0;
    ::ioctl(in_.reader.get(), FIONREAD, &there);
    EXPECT_EQ(there, 4);
}

TEST_F(FlowTest, AWriteErrorIsKept) {
    const Fd full(::open("/dev/full", O_WRONLY | O_CLOEXEC));
    write_in("x");
    Flow flow(Side::sessions(std::move(in_.reader)), Side::persons(full.get()));
    pump(flow);
    EXPECT_EQ(flow.write_error(), ENOSPC);
}

TEST(FlowTerminal, EndOfDataInLineModeIsSaidByItsCharacter) {
    int master = -1, slave = -1;
    ASSERT_EQ(::openpty(&master, &slave, nullptr, nullptr, nullptr), 0);
    const Fd own_master(master), own_slave(slave);
    auto out = std::move(*api::make_pipe());
    Flow flow(Side::persons(slave), Side::sessions(std::move(out.writer)), Flow::EndOfData::kIsControlD);
    const auto typed = [&](const std::string& keys) {
        EXPECT_EQ(::write(master, keys.data(), keys.size()), static_cast<ssize_t>(keys.size()));
        pump(flow, 100);
        char got[64] = {};
        const ssize_t count = ::read(out.reader.get(), got, sizeof got);
        return std::string(got, static_cast<std::size_t>(std::max<ssize_t>(count, 0)));
    };
    EXPECT_EQ(typed("line\n"), "line\n");
    EXPECT_EQ(typed("part\x04"), "part\x04");
    EXPECT_EQ(typed("\x04"), "\x04");
    EXPECT_TRUE(flow.source_open());
}

TEST(FlowTerminal, AllThatTheLastProgramWroteIsReadFromTheMasterSide) {
    for (int round = 0; round < 50; ++round) {
        int master = -1, slave = -1;
        ASSERT_EQ(::openpty(&master, &slave, nullptr, nullptr, nullptr), 0);
        Fd own_master(master), own_slave(slave);
        termios raw{};
        ::tcgetattr(slave, &raw);
        ::cfmakeraw(&raw);
        ::tcsetattr(slave, TCSANOW, &raw);
        auto out = std::move(*api::make_pipe());
        Flow flow(Side::sessions_terminal(master), Side::persons(out.writer.get()));
        const std::string text(3000, 'p');
        ASSERT_EQ(::write(slave, text.data(), text.size()), 3000);
        if (round % 2 == 0) own_slave.reset();
        flow.finish(128 * 1024);
        pump(flow);
        out.writer.reset();
        ASSERT_EQ(read_all(out.reader).size(), 3000U) << round;
    }
}

}  // namespace
}  // namespace reeve::client
