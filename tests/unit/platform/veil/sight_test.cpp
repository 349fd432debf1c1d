#include "platform/linux/veil/sight.hpp"

#include <gtest/gtest.h>

#include <map>
#include <set>
#include <string>

namespace reeve::platform::veil {
namespace {

class Scripted final : public Judge {
  public:
    std::map<std::string, std::set<Action>, std::less<>> allowed;
    std::set<std::string, std::less<>> hidden;

    Ruling decide(std::string_view path, Action action) const override {
        const auto found = allowed.find(path);
        if (found != allowed.end() && found->second.contains(action))
            return {.verdict = Ruling::Verdict::allow};
        return {.by_rule = true, .hidden = hidden.contains(path)};
    }
    bool same_below(std::string_view a, std::string_view) const override { return a != "/x/.git"; }
    bool report(const Attempt&) override { return true; }
};

TEST(Sight, WhatMayBeUsedInAnyWayIsShown) {
    Scripted judge;
    judge.allowed["/w"] = {Action::write};
    judge.allowed["/x"] = {Action::execute};
    judge.hidden = {"/w", "/h"};
    EXPECT_TRUE(look(judge, "/w").shown);
    EXPECT_FALSE(look(judge, "/w").hidden);  // who writes it knows of it
    EXPECT_TRUE(look(judge, "/x").shown);
    EXPECT_FALSE(look(judge, "/d").shown);
    EXPECT_FALSE(look(judge, "/d").hidden);
    EXPECT_TRUE(look(judge, "/h").hidden);
    EXPECT_TRUE(look(judge, "/h").reading.by_rule);
}

TEST(Sight, WhatRulesSpeakOfDiffersFromANameBesideIt) {
    EXPECT_TRUE(is_spoken_of(Scripted(), "/x/.git"));
    EXPECT_FALSE(is_spoken_of(Scripted(), "/x/other"));
}

TEST(Sight, AMoveGainsWhatTheNewPathAllowsAndTheOldDoesNot) {
    const std::set<Action> changes = {Action::write,  Action::create, Action::remove,
                                      Action::rename, Action::link,   Action::attributes};
    auto all = changes;
    all.insert({Action::list, Action::read, Action::execute});
    Scripted judge;
    judge.allowed["/all"] = judge.allowed["/all2"] = all;
    judge.allowed["/changes"] = changes;
    judge.allowed["/reads"] = {Action::read, Action::list};
    EXPECT_FALSE(gains(judge, "/all", "/all2"));
    EXPECT_FALSE(gains(judge, "/all", "/changes"));
    EXPECT_TRUE(gains(judge, "/changes", "/all"));  // reading
    EXPECT_TRUE(gains(judge, "/all", "/reads"));    // what was written stands where nothing may be
    EXPECT_TRUE(gains(judge, "/all", "/none"));
}

}  // namespace
}  // namespace reeve::platform::veil
