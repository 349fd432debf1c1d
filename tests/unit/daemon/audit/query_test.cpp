#include "daemon/audit/query.hpp"

#include <gtest/gtest.h>

#include <array>
#include <condition_variable>
#include <mutex>
#include <thread>

#include "daemon/audit/line.hpp"
#include "daemon/audit/segment.hpp"
#include "tests/unit/daemon/audit/support.hpp"

namespace reeve::audit {
namespace {

using test::Place;

bool matches(std::string_view pattern, std::string_view path) {
    return Glob::compile(pattern).value().matches(path);
}

TEST(Glob, TheFormsOfPolicy) {
    EXPECT_TRUE(matches("/a/*.c", "/a/b.c"));
    EXPECT_FALSE(matches("/a/*.c", "/a/b/c.c"));
    EXPECT_TRUE(matches("/a/**", "/a"));
    EXPECT_TRUE(matches("/a/**", "/a/b/c"));
    EXPECT_FALSE(matches("/a/**", "/ab"));
    EXPECT_TRUE(matches("**/.env", "/x/y/.env"));
    EXPECT_TRUE(matches("**/.env", ".env"));
    EXPECT_FALSE(matches("**/.env", "/x.env"));
    EXPECT_TRUE(matches("/a/*", "/a/.hidden"));
    EXPECT_TRUE(matches("/a?[b-d]", "/axc"));
    EXPECT_FALSE(matches("/a?c", "/a/c"));
    EXPECT_FALSE(matches("/a[!b]c", "/a/c"));
    EXPECT_TRUE(matches("/{a,b{1,2}}/x", "/b2/x"));
    EXPECT_FALSE(matches("/{a,b}/x", "/c/x"));
    EXPECT_TRUE(matches("/\xff*", "/\xff\xfe"));
    EXPECT_FALSE(Glob::compile("/a["));
    EXPECT_FALSE(Glob::compile("/{a"));
    EXPECT_FALSE(Glob::compile("{a,b}{a,b}{a,b}{a,b}{a,b}{a,b}{a,b}"));
}

TEST(Glob, ManyStarsTakeNoExponentialTime) {
    std::string pattern;
    for (int i = 0; i < 200; ++i) pattern += "*a";
    EXPECT_FALSE(matches(pattern + "b", std::string(4000, 'a')));
}

class Query : public ::testing::Test {
  protected:
    std::vector<std::string> ask(const Filter& filter) const {
        std::vector<std::string> lines;
        const auto directory = open_directory(place_.log.string()).value();
        const auto take = [&](std::string_view line) { return lines.emplace_back(line), true; };
        EXPECT_TRUE(query(directory.get(), filter, false, take, {}));
        return lines;
    }
    std::size_t count(const Filter& filter) const { return ask(filter).size(); }
    const Place place_;
};

TEST_F(Query, EachFilter) {
    const std::array target{Detail{"target", std::string_view("/w/\xfe.h")}};
    const SessionContext alice({.session = "s1", .uid = 1000}), bob({.session = "s\"2", .uid = 10});
    {
        auto log = place_.open({.segment_size = 2000}).value();
        for (int i = 0; i < 10; ++i) {
            test::fill(*log, 1, i);
            log->append({.action = Action::kFileWrite,
                         .realtime_ns = 1'000 + i,
                         .session = &alice,
                         .resource = "/w/\xff.c",
                         .outcome = Outcome::kDenied,
                         .decision = Decision::kDeny,
                         .details = target});
            log->append({.action = Action::kNetworkConnect,
                         .session = &bob,
                         .resource = "api.example.com:443",
                         .decision = Decision::kAllow});
        }
    }
    EXPECT_EQ(count({}), test::lines_of(place_.text()).size());
    EXPECT_EQ(count({.uid = 1000}), 10U);
    EXPECT_EQ(count({.uid = 10}), 10U);  // and not those of 1000
    EXPECT_EQ(count({.uid = 1}), 0U);
    EXPECT_EQ(count({.session = "s1"}), 10U);
    EXPECT_EQ(count({.session = "s\"2"}), 10U);
    EXPECT_EQ(count({.session = "s"}), 0U);
    EXPECT_EQ(count({.action = "file.read"}), 10U);
    EXPECT_EQ(count({.action = "file.*"}), 20U);
    EXPECT_EQ(count({.decision = "deny"}), 10U);
    EXPECT_EQ(count({.uid = 10, .decision = "deny"}), 0U);
    EXPECT_EQ(count({.outcome = "denied"}), 10U);
    EXPECT_EQ(count({.decision = "allow", .outcome = "denied"}), 0U);
    EXPECT_EQ(count({.path = Glob::compile("/home/alice/file-[3-5]").value()}), 3U);
    EXPECT_EQ(count({.path = Glob::compile("/w/\xff.c").value()}), 10U);
    EXPECT_EQ(count({.path = Glob::compile("/w/\xfe.h").value()}), 10U);
    EXPECT_EQ(count({.path = Glob::compile("**").value()}), 20U);
    EXPECT_EQ(count({.host = "api.example.com"}), 10U);
    EXPECT_EQ(count({.host = "*.example.com"}), 10U);
    EXPECT_EQ(count({.host = "example.com"}), 0U);
    EXPECT_EQ(count({.action = "file.write", .since_ns = 6'000}), 0U);  // microseconds: all are at 1
    EXPECT_EQ(count({.action = "file.write", .since_ns = 1'000}), 10U);
}

TEST_F(Query, LinesComeAsTheyStandAndInOrder) {
    {
        auto log = place_.open({.segment_size = 2000}).value();
        test::fill(*log, 50);
    }
    std::string text;
    for (const std::string& line : ask({})) text += line + "\n";
    EXPECT_EQ(text, place_.text());
}

// What a record says inside of its strings is no member of it.
TEST_F(Query, AHostileNameIsNoMember) {
    const SessionContext bob({.session = "s2", .uid = 10});
    {
        auto log = place_.open().value();
        const Detail details[] = {{"uid", std::uint64_t{1000}}, {"session", std::string_view("s1")}};
        log->append({.action = Action::kFileRead,
                     .session = &bob,
                     .resource = R"("uid":1000,"session":"s1")",
                     .details = details});
    }
    EXPECT_EQ(count({.uid = 1000}), 0U);
    EXPECT_EQ(count({.session = "s1"}), 0U);
    EXPECT_EQ(count({.session = "s2"}), 1U);
}

TEST_F(Query, FollowsAcrossSegmentsUntilItIsStopped) {
    auto log = place_.open({.segment_size = 3000}).value();
    test::fill(*log, 20);
    std::mutex mutex;
    std::condition_variable changed;
    std::vector<std::string> resources;
    std::jthread follower([&](std::stop_token stop) {
        const auto directory = open_directory(place_.log.string()).value();
        const auto take = [&](std::string_view line) {
            const std::lock_guard guard(mutex);
            resources.push_back(*text_member(line, "resource"));
            changed.notify_one();
            return true;
        };
        EXPECT_TRUE(query(directory.get(), {.action = "file.read"}, true, take, stop));
    });
    const auto wait_for = [&](std::size_t records) {
        std::unique_lock lock(mutex);
        return changed.wait_for(lock, std::chrono::seconds(30), [&] { return resources.size() >= records; });
    };
    ASSERT_TRUE(wait_for(20));
    test::fill(*log, 20, 20);
    ASSERT_TRUE(wait_for(40));
    test::fill(*log, 1, 40);
    ASSERT_TRUE(wait_for(41));
    follower.request_stop();
    follower.join();
    for (int i = 0; i < 41; ++i)
        EXPECT_EQ(resources[static_cast<std::size_t>(i)], "/home/alice/file-" + std::to_string(i));
}

}  // namespace
}  // namespace reeve::audit
