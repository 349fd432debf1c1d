// Who people are, with a name service of the test's own.
#include "daemon/session/people.hpp"

#include <gtest/gtest.h>
#include <stdlib.h>
#include <unistd.h>

#include <atomic>
#include <filesystem>
#include <future>

namespace reeve::session {
namespace {

using platform::Result;

class PeopleTest : public testing::Test {
  protected:
    ~PeopleTest() override { std::filesystem::remove_all(home_); }

    // Everybody is known, with the test's own id and home; "nobody" is not.
    Result<Account> answer(const Who& who) {
        ++asked_;
        const auto* name = std::get_if<std::string>(&who);
        if (name != nullptr && *name == "nobody") return platform::error("look up", *name, "not known");
        return Account{.ids = {.uid = ::getuid(), .gid = 7, .groups = {7, 8}, .name = "alice"},
                       .home = home_};
    }
    std::unique_ptr<People> people() {
        return std::make_unique<People>(
            *loop_, [this](const Who& who) { return answer(who); }, [this] { return now_; });
    }
    // Asks and waits for the answer.
    Result<Person> find(People& people, const Who& who) {
        Result<Person> found;
        people.find(who, [&](Result<Person> person) {
            found = std::move(person);
            loop_->stop();
        });
        EXPECT_TRUE(loop_->run());
        return found;
    }

    std::unique_ptr<platform::EventLoop> loop_ = platform::EventLoop::create().value();
    People::Clock::time_point now_{std::chrono::hours(1)};
    std::atomic<int> asked_ = 0;
    char name_[32] = "/tmp/reeve-people-XXXXXX";
    std::string home_ = ::mkdtemp(name_);
};

TEST_F(PeopleTest, AnAnswerIsKeptForAWhile) {
    const auto people = this->people();
    const auto person = find(*people, std::string("alice"));
    ASSERT_TRUE(person);
    EXPECT_EQ(person->ids.groups, (std::vector<gid_t>{7, 8}));
    EXPECT_EQ(person->home, home_);

    // At once, without the loop.
    int answers = 0;
    const auto count = [&](const Result<Person>& known) { answers += known ? 1 : 0; };
    people->find(std::string("alice"), count);
    now_ += People::kKept - std::chrono::seconds(1);
    people->find(std::string("alice"), count);
    EXPECT_EQ(answers, 2);
    EXPECT_EQ(asked_, 1);

    now_ += std::chrono::seconds(1);
    people->find(std::string("alice"), count);
    EXPECT_EQ(answers, 2);  // it is asked anew
}

TEST_F(PeopleTest, TheHomeIsLookedAtEachTime) {
    const auto people = this->people();
    ASSERT_TRUE(find(*people, ::getuid()));
    std::filesystem::remove(home_);
    bool refused = false;
    people->find(::getuid(), [&](const Result<Person>& person) { refused = !person; });
    EXPECT_TRUE(refused);
}

TEST_F(PeopleTest, ARefusalIsNotKept) {
    const auto people = this->people();
    EXPECT_FALSE(find(*people, std::string("nobody")));
    int answers = 0;
    people->find(std::string("nobody"), [&](const auto&) { ++answers; });
    EXPECT_EQ(answers, 0);
}

TEST_F(PeopleTest, EqualQuestionsAreOne) {
    std::promise<void> go;
    People people(
        *loop_,
        [&, gate = go.get_future().share()](const Who& who) {
            gate.wait();
            return answer(who);
        },
        [this] { return now_; });
    int answers = 0;
    for (int i = 0; i < 3; ++i)
        people.find(std::string("alice"), [&](const Result<Person>& person) {
            EXPECT_TRUE(person);
            if (++answers == 3) loop_->stop();
        });
    go.set_value();
    ASSERT_TRUE(loop_->run());
    EXPECT_EQ(answers, 3);
    EXPECT_EQ(asked_, 1);
}

TEST_F(PeopleTest, WhatComesAfterItsEndReachesNobody) {
    bool called = false;
    people()->find(std::string("alice"), [&](const auto&) { called = true; });
    loop_->stop();
    ASSERT_TRUE(loop_->run());
    EXPECT_FALSE(called);
}

}  // namespace
}  // namespace reeve::session
