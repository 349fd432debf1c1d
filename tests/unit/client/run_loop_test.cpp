// `reeve run` against a daemon that the test plays: the protocol's ends, and a terminal that is left as it was.
#include "client/run_loop.hpp"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <pty.h>
#include <sys/wait.h>
#include <termios.h>
#include <unistd.h>

#include <functional>

#include "client/command.hpp"
#include "daemon/api/client_fds.hpp"

namespace reeve::client {
namespace {

using api::Json;
using platform::Fd;
using testing::HasSubstr;

// The loop in a process of its own, whose standard streams are ours.
class Client {
  public:
    explicit Client(bool with_terminal = false) {
        auto pair = platform::seqpacket_pair();
        daemon_ = std::move(pair->ours);
        for (auto& pipe : persons_) pipe = std::move(*api::make_pipe());
        std::array<Fd, 3> ends;
        for (std::size_t i = 0; i < 3; ++i) {
            auto pipe = std::move(*api::make_pipe());
            ends[i] = i == 0 ? std::move(pipe.writer) : std::move(pipe.reader);
            session_[i] = i == 0 ? std::move(pipe.reader) : std::move(pipe.writer);
        }
        if (with_terminal) {
            int master = -1, slave = -1;
            EXPECT_EQ(::openpty(&master, &slave, nullptr, nullptr, nullptr), 0);
            master_.reset(master);
            slave_.reset(slave);
        }
        pid_ = ::fork();
        if (pid_ == 0) be_the_client(std::move(pair->theirs), std::move(ends), with_terminal);
        persons_[0].reader.reset();
        persons_[1].writer.reset();
        persons_[2].writer.reset();
    }
    ~Client() {
        if (pid_ > 0) {
            ::kill(pid_, SIGKILL);
            ::waitpid(pid_, nullptr, 0);
        }
    }
    Client(const Client&) = delete;
    Client& operator=(const Client&) = delete;

    void say(const Json& body, std::vector<int> fds = {}) const {
        ASSERT_TRUE(api::send_message(daemon_.get(), body, fds));
    }
    Json hear() const {
        auto message = api::receive_message(daemon_.get());
        return message && *message ? (*message)->body : Json();
    }
    void finish(int status) {
        say({{"event", "finished"}, {"status", status}});
        for (Fd& fd : session_) fd.reset();
    }
    void hang_up() { daemon_.reset(); }
    void type(const std::string& text) const {
        EXPECT_EQ(::write(persons_[0].writer.get(), text.data(), text.size()),
                  static_cast<ssize_t>(text.size()));
    }
    int wait() {
        int status = 0;
        ::waitpid(std::exchange(pid_, -1), &status, 0);
        return WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
    }
    std::string output(int stream) const {
        std::string text;
        char piece[4096];
        for (ssize_t got; (got = ::read(persons_[stream].reader.get(), piece, sizeof piece)) > 0;)
            text.append(piece, static_cast<std::size_t>(got));
        return text;
    }
    pid_t pid() const { return pid_; }
    const Fd& session(int stream) const { return session_[stream]; }
    const Fd& slave() const { return slave_; }

  private:
    [[noreturn]] void be_the_client(Fd socket, std::array<Fd, 3> ends, bool with_terminal) {
        daemon_.reset();
        ::dup2(with_terminal ? slave_.get() : persons_[0].reader.get(), 0);
        ::dup2(with_terminal ? slave_.get() : persons_[1].writer.get(), 1);
        ::dup2(persons_[2].writer.get(), 2);
        for (auto& pipe : persons_) {
            pipe.reader.reset();
            pipe.writer.reset();
        }
        for (Fd& fd : session_) fd.reset();
        int code = 99;
        {
            RunLoop loop(std::move(socket), {with_terminal, with_terminal, false}, std::move(ends), false);
            code = loop.run();
        }
        ::_exit(code);
    }

    pid_t pid_ = -1;
    Fd daemon_, master_, slave_;
    api::PipeEnds persons_[3];
    std::array<Fd, 3> session_;
};

const Json kStarted{{"event", "started"}, {"session", "s"}, {"agent", "a"}, {"policy", "p"}};

TEST(RunLoop, SaysDrainedOnlyWhenAllIsWrittenAndGivesTheCode) {
    Client client;
    client.say(kStarted);
    ASSERT_EQ(::write(client.session(1).get(), "out", 3), 3);
    ASSERT_EQ(::write(client.session(2).get(), "err", 3), 3);
    client.finish(7 << 8);
    EXPECT_EQ(client.hear()["call"], "drained");
    client.say(api::done({{"status", 7 << 8}, {"session", "s"}}));
    EXPECT_EQ(client.output(1), "out");
    EXPECT_EQ(client.output(2), "err");
    EXPECT_EQ(client.wait(), 7);
}

TEST(RunLoop, OutputIsWholeAlsoWhereTheDaemonWasDoneBefore) {
    Client client;
    client.say(kStarted);
    // More than the person's pipe holds, so that some of it still waits when the last message comes.
    const std::string much(96 * 1024, 'x');
    for (std::size_t done = 0; done < much.size();) {
        const ssize_t put = ::write(client.session(1).get(), much.data() + done, much.size() - done);
        ASSERT_GT(put, 0);
        done += static_cast<std::size_t>(put);
    }
    client.finish(5 << 8);
    client.say(api::done({{"status", 5 << 8}, {"session", "s"}}));
    client.hang_up();
    EXPECT_EQ(client.output(1), much);
    EXPECT_EQ(client.wait(), 5);
}

TEST(RunLoop, ARefusalIsSaidInOneLineWith125) {
    Client client;
    client.say(api::failure(
        {.tried = "use the workspace", .on = "/", .why = "it is \x1b[2J", .todo = "name another"}));
    EXPECT_EQ(client.wait(), kNotStarted);
    const std::string said = client.output(2);
    EXPECT_THAT(said, HasSubstr("cannot use the workspace /: it is \\x1b[2J; name another\n"));
}

TEST(RunLoop, ALostDaemonIs125AndSaid) {
    Client client;
    client.say(kStarted);
    client.hang_up();
    EXPECT_EQ(client.wait(), kNotStarted);
    EXPECT_THAT(client.output(2), HasSubstr("the daemon is gone, and with it the session"));
}

TEST(RunLoop, ADaemonThatIsLostAfterTheEndTakesNothingBack) {
    Client client;
    client.say(kStarted);
    client.finish(3 << 8);
    EXPECT_EQ(client.hear()["call"], "drained");
    client.hang_up();
    EXPECT_EQ(client.wait(), 3);
}

TEST(RunLoop, InputReachesTheSessionAndItsEndToo) {
    Client client;
    client.say(kStarted);
    client.type("hello");
    char got[8] = {};
    ASSERT_EQ(::read(client.session(0).get(), got, sizeof got), 5);
    EXPECT_STREQ(got, "hello");
}

TEST(RunLoop, SignalsArePassedOnAndTheSecondEndsIt) {
    Client client;
    client.say(kStarted);
    client.type("x");  // once this is through, signals are read
    char one;
    ASSERT_EQ(::read(client.session(0).get(), &one, 1), 1);
    ::kill(client.pid(), SIGTERM);
    const Json passed = client.hear();
    EXPECT_EQ(passed["call"], "signal");
    EXPECT_EQ(passed["signal"], SIGTERM);
    ::kill(client.pid(), SIGTERM);
    EXPECT_EQ(client.wait(), 128 + SIGTERM);
}

TEST(RunLoop, ASignalFromBeforeTheDaemonSaidThatItRunsIsNotLost) {
    Client client;
    client.type("x");  // once this is through, signals are read
    char one;
    ASSERT_EQ(::read(client.session(0).get(), &one, 1), 1);
    ::kill(client.pid(), SIGINT);
    client.say(kStarted);
    EXPECT_EQ(client.hear()["signal"], SIGINT);
    client.finish(SIGINT);
    EXPECT_EQ(client.hear()["call"], "drained");
    client.say(api::done());
    EXPECT_EQ(client.wait(), 128 + SIGINT);
}

TEST(RunLoop, WhatHoldsTheOutputOpenAfterTheEndIsNotWaitedFor) {
    Client client;
    client.say(kStarted);
    ASSERT_EQ(::write(client.session(1).get(), "out", 3), 3);
    client.say({{"event", "finished"}, {"status", 0}});  // our ends of the pipes stay open
    EXPECT_EQ(client.hear()["call"], "drained");
    client.say(api::done());
    EXPECT_EQ(client.wait(), 0);
    EXPECT_EQ(client.output(1), "out");
}

TEST(RunLoop, UnknownEventsAndOddMembersDoNotStopIt) {
    Client client;
    client.say({{"event", "news"}, {"x", 1}});
    client.say({{"event", "step"}, {"step", 5}, {"nanoseconds", "many"}});
    client.say({{"other", Json::array()}});
    client.say(kStarted);
    client.finish(0);
    EXPECT_EQ(client.hear()["call"], "drained");
    client.say(api::done());
    EXPECT_EQ(client.wait(), 0);
}

class TerminalKept : public testing::TestWithParam<std::function<void(Client&)>> {};

TEST_P(TerminalKept, OnThisWayOut) {
    Client client(true);
    termios before{}, now{};
    ASSERT_EQ(::tcgetattr(client.slave().get(), &before), 0);
    int master = -1, slave = -1;
    ASSERT_EQ(::openpty(&master, &slave, nullptr, nullptr, nullptr), 0);
    const Fd own_master(master), own_slave(slave);
    client.say(kStarted, {master});
    // It is raw once the session's first byte has been shown: the loop tends the terminal before it reads.
    ASSERT_EQ(::write(slave, "!", 1), 1);
    do {
        ASSERT_EQ(::tcgetattr(client.slave().get(), &now), 0);
    } while ((now.c_lflag & ICANON) != 0);
    GetParam()(client);
    client.wait();
    ASSERT_EQ(::tcgetattr(client.slave().get(), &now), 0);
    EXPECT_EQ(now.c_lflag, before.c_lflag);
    EXPECT_EQ(now.c_iflag, before.c_iflag);
    EXPECT_EQ(now.c_oflag, before.c_oflag);
}

INSTANTIATE_TEST_SUITE_P(WaysOut, TerminalKept,
                         testing::Values([](Client& client) { client.hang_up(); },
                                         [](Client& client) {
                                             client.say(api::failure({.tried = "t", .why = "w"}));
                                         },
                                         [](Client& client) {
                                             client.finish(0);
                                             EXPECT_EQ(client.hear()["call"], "drained");
                                             client.say(api::done());
                                         },
                                         [](Client& client) { ::kill(client.pid(), SIGSEGV); },
                                         [](Client& client) { ::kill(client.pid(), SIGABRT); },
                                         [](Client& client) {
                                             ::kill(client.pid(), SIGTERM);
                                             EXPECT_EQ(client.hear()["call"], "signal");
                                             ::kill(client.pid(), SIGTERM);
                                         }));

}  // namespace
}  // namespace reeve::client
