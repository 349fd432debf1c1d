#include "daemon/api/run_request.hpp"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include "daemon/api/client_fds.hpp"
#include "platform/linux/memfd.hpp"

namespace reeve::api {
namespace {

using platform::Fd;
using testing::HasSubstr;

Fd some_fd() {
    return Fd(::open("/dev/null", O_RDWR | O_CLOEXEC));
}

ino_t inode(const Fd& fd) {
    struct stat status {};
    return ::fstat(fd.get(), &status) == 0 ? status.st_ino : 0;
}

RunRequest full_request() {
    RunRequest request;
    request.command = {"git", "clone", "a b"};
    request.agent = "cowork";
    request.user = "alice";
    request.terminal[1] = true;
    request.rows = 50;
    request.columns = 132;
    request.pass_environment = {"TOKEN"};
    request.report_steps = true;
    request.policy_name = "tight.json";
    for (Fd* fd : {&request.environment, &request.working_directory, &request.workspace, &request.policy,
                   &request.streams[0], &request.streams[2]}) {
        auto pipe = make_pipe();
        *fd = std::move(pipe->reader);
    }
    return request;
}

Message message_of(const RunRequest& request) {
    Message message{.body = request.body(), .fds = {}};
    for (const int fd : request.fds()) message.fds.emplace_back(::fcntl(fd, F_DUPFD_CLOEXEC, 0));
    return message;
}

TEST(RunRequest, ComesBackAsItWas) {
    const RunRequest sent = full_request();
    const auto got = RunRequest::parse(message_of(sent));
    ASSERT_TRUE(got) << got.error().text();
    EXPECT_EQ(got->command, sent.command);
    EXPECT_EQ(got->agent, "cowork");
    EXPECT_EQ(got->user, "alice");
    EXPECT_TRUE(got->terminal[1] && !got->terminal[0] && !got->terminal[2]);
    EXPECT_EQ(got->rows, 50);
    EXPECT_EQ(got->columns, 132);
    EXPECT_EQ(got->pass_environment, sent.pass_environment);
    EXPECT_TRUE(got->report_steps);
    EXPECT_EQ(got->policy_name, "tight.json");
    EXPECT_EQ(inode(got->environment), inode(sent.environment));
    EXPECT_EQ(inode(got->working_directory), inode(sent.working_directory));
    EXPECT_EQ(inode(got->workspace), inode(sent.workspace));
    EXPECT_EQ(inode(got->policy), inode(sent.policy));
    EXPECT_EQ(inode(got->streams[0]), inode(sent.streams[0]));
    EXPECT_FALSE(got->streams[1]);
    EXPECT_EQ(inode(got->streams[2]), inode(sent.streams[2]));
}

TEST(RunRequest, OneDescriptorTooFewOrTooManyIsRefused) {
    Message fewer = message_of(full_request());
    fewer.fds.pop_back();
    Message more = message_of(full_request());
    more.fds.push_back(some_fd());
    Message none = message_of(full_request());
    none.fds.clear();
    for (Message* message : {&fewer, &more, &none}) {
        const auto got = RunRequest::parse(std::move(*message));
        ASSERT_FALSE(got);
        EXPECT_THAT(got.error().text(), HasSubstr("descriptors are not those"));
    }
}

TEST(RunRequest, MalformedMembersAreRefused) {
    const auto refused = [](const char* member, Json value) {
        Message message = message_of(full_request());
        message.body[member] = std::move(value);
        return !RunRequest::parse(std::move(message));
    };
    EXPECT_TRUE(refused("command", Json::array()));
    EXPECT_TRUE(refused("command", {""}));
    EXPECT_TRUE(refused("command", {"a", 1}));
    EXPECT_TRUE(refused("command", "ls"));
    EXPECT_TRUE(refused("command", {std::string("a\0b", 3)}));
    EXPECT_TRUE(refused("terminal", {true, false}));
    EXPECT_TRUE(refused("terminal", {true, false, 1}));
    EXPECT_TRUE(refused("terminal", nullptr));
    EXPECT_TRUE(refused("rows", 70000));
    EXPECT_TRUE(refused("rows", -1));
    EXPECT_TRUE(refused("rows", 1.5));
    EXPECT_TRUE(refused("report_steps", 1));
    EXPECT_TRUE(refused("workspace", "/home/alice"));  // a name is nothing to be trusted: it is a descriptor
    EXPECT_TRUE(refused("uid", 0));
    EXPECT_TRUE(refused("policy", std::string("a\0b", 3)));
}

TEST(ClientFds, EnvironmentIsSealedAndWhole) {
    const char* variables[] = {"A=1", "B=two words", nullptr};
    auto packed = pack_environment(variables);
    ASSERT_TRUE(packed);
    const auto bytes = platform::read_memfd(packed->get(), true);
    ASSERT_TRUE(bytes);
    EXPECT_EQ(*bytes, std::string("A=1\0B=two words\0", 16));
}

TEST(ClientFds, AnEnvironmentOverTheBoundIsRefused) {
    const std::string large = "A=" + std::string(kMaxEnvironment, 'x');
    const char* variables[] = {large.c_str(), nullptr};
    const auto packed = pack_environment(variables);
    ASSERT_FALSE(packed);
    EXPECT_THAT(packed.error().text(), HasSubstr("hand over the environment"));
}

TEST(ClientFds, ATextOverItsBoundIsRefused) {
    EXPECT_FALSE(read_text("/dev/zero", 100'000));
    EXPECT_FALSE(read_text("/", 100));
    EXPECT_FALSE(read_text("/nonexistent", 100));
    EXPECT_TRUE(read_text("/dev/null", 0));
}

}  // namespace
}  // namespace reeve::api
