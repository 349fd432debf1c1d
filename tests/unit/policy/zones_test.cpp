// What mounts are asked to do, and what is said of the rest.
#include "policy/zones.hpp"

#include <gtest/gtest.h>

#include <optional>

#include "tests/unit/policy/engine_support.hpp"

namespace reeve::policy {
namespace {

const Zone* zone(const Zones& zones, std::string_view path) {
    for (const auto& each : zones.grants) {
        if (each.path == path) return &each;
    }
    return nullptr;
}
const Mask* mask(const Zones& zones, std::string_view path) {
    for (const auto& each : zones.masks) {
        if (each.path == path) return &each;
    }
    return nullptr;
}
const Unenforced* unenforced(const Zones& zones, std::string_view pattern) {
    for (const auto& each : zones.unenforced) {
        if (each.pattern == pattern) return &each;
    }
    return nullptr;
}

Zones planned(const std::string& files, Verdict ask_is = Verdict::deny) {
    return plan_zones(compiled_files(files), {.ask_is = ask_is});
}

TEST(Zones, TreesAndObjectsThatAreAllowedAreGranted) {
    const auto zones = planned(R"(
        {"allow": ["read", "execute"], "paths": ["/usr/**"], "log": ["executions"]},
        {"allow": ["read", "write", "execute"], "paths": ["${workspace}/**"]},
        {"allow": ["read"], "paths": ["${home}/.gitconfig", "/etc/**"]})");
    ASSERT_EQ(zones.grants.size(), 4U);
    EXPECT_TRUE(zones.masks.empty());
    EXPECT_TRUE(zones.unenforced.empty());
    const auto* usr = zone(zones, "/usr");
    ASSERT_TRUE(usr);
    EXPECT_TRUE(usr->tree && usr->executable && !usr->writable && !usr->state && !usr->tightens);
    EXPECT_EQ(usr->log, unsigned{kLogExecutions});
    EXPECT_EQ(usr->rule, "vendor/files/0");
    EXPECT_EQ(usr->within, "");
    const auto* work = zone(zones, "/home/alice/work");
    ASSERT_TRUE(work);
    EXPECT_TRUE(work->tree && work->executable && work->writable);
    EXPECT_EQ(work->log, kLogOpens | kLogChanges) << "the person's zones, by default";
    const auto* config = zone(zones, "/home/alice/.gitconfig");
    ASSERT_TRUE(config);
    EXPECT_FALSE(config->tree || config->executable || config->writable);
    EXPECT_EQ(zone(zones, "/etc")->log, unsigned{kLogExecutions}) << "the system's zones, by default";
}

TEST(Zones, WhatIsDeniedInsideIsMaskedOrTightened) {
    const auto zones = planned(R"(
        {"allow": ["read", "write", "execute"], "paths": ["${workspace}/**"]},
        {"allow": ["read"], "paths": ["/etc/**"]},
        {"deny": ["read"], "paths": ["/etc/shadow", "/etc/ssl/private/**", "${workspace}/.env", "/home/alice/.ssh/**"], "reason": "secrets"},
        {"deny": ["write"], "paths": ["${workspace}/.git/hooks/**", "${workspace}/.mcp.json"]},
        {"deny": ["execute"], "paths": ["${workspace}/data/**"]})");
    const auto* shadow = mask(zones, "/etc/shadow");
    ASSERT_TRUE(shadow);
    EXPECT_FALSE(shadow->tree || shadow->within_writable);
    EXPECT_EQ(shadow->rule, "vendor/files/2");
    EXPECT_EQ(shadow->reason, "secrets");
    EXPECT_EQ(shadow->within, "/etc");
    EXPECT_TRUE(mask(zones, "/etc/ssl/private")->tree);
    EXPECT_TRUE(mask(zones, "/home/alice/work/.env")->within_writable);
    EXPECT_FALSE(mask(zones, "/home/alice/.ssh")) << "nothing is there to be covered";
    const auto* hooks = zone(zones, "/home/alice/work/.git/hooks");
    ASSERT_TRUE(hooks);
    EXPECT_TRUE(hooks->tree && hooks->tightens && hooks->within_writable && hooks->executable &&
                !hooks->writable);
    EXPECT_EQ(hooks->tightened_by, "vendor/files/3");
    EXPECT_EQ(hooks->within, "/home/alice/work");
    EXPECT_FALSE(zone(zones, "/home/alice/work/.mcp.json")->tree);
    const auto* data = zone(zones, "/home/alice/work/data");
    ASSERT_TRUE(data);
    EXPECT_TRUE(data->tightens && data->writable && !data->executable);
    EXPECT_EQ(data->tightened_by, "vendor/files/4");
}

TEST(Zones, ANestedGrantSaysWhatIsAroundIt) {
    const auto zones = planned(R"(
        {"allow": ["read"], "paths": ["/a/**"]},
        {"deny": ["read"], "paths": ["/a/b/**"], "except": ["/a/b/c/**"]},
        {"allow": ["read", "write"], "paths": ["/a/w/**"]},
        {"allow": ["read"], "paths": ["/a/same/**"]})");
    EXPECT_EQ(mask(zones, "/a/b")->within, "/a");
    EXPECT_EQ(zone(zones, "/a/b/c")->within, "/a/b");
    EXPECT_FALSE(zone(zones, "/a/b/c")->tightens);
    EXPECT_TRUE(zone(zones, "/a/w")->writable);
    EXPECT_FALSE(zone(zones, "/a/w")->tightens);
    EXPECT_FALSE(zone(zones, "/a/w")->within_writable);
    EXPECT_FALSE(zone(zones, "/a/same")) << "nothing new";
    for (std::size_t i = 1; i < zones.grants.size(); ++i)
        EXPECT_LT(zones.grants[i - 1].path, zones.grants[i].path);
}

TEST(Zones, AskCountsAsTheCallerSays) {
    const char* const files = R"({"ask": ["read"], "paths": ["${home}/**"], "except": ["${workspace}/**"]},
                                 {"allow": ["read", "write"], "paths": ["${workspace}/**"]})";
    EXPECT_FALSE(zone(planned(files), "/home/alice"));
    EXPECT_TRUE(zone(planned(files), "/home/alice/work"));
    EXPECT_TRUE(zone(planned(files, Verdict::allow), "/home/alice"));
}

TEST(Zones, PatternsThatTakeAwayAreSaidToWiden) {
    const auto zones = planned(R"(
        {"allow": ["read", "write"], "paths": ["${workspace}/**"]},
        {"allow": ["read"], "paths": ["/usr/**"]},
        {"deny": ["write"], "paths": ["**/.git/hooks/**", "/usr/**/x", "/srv/*/y"]},
        {"deny": ["read"], "paths": ["**/.env"], "except": ["**/.env.example"]},
        {"ask": ["write"], "paths": ["${workspace}/*.key"]})");
    const auto* hooks = unenforced(zones, "**/.git/hooks/**");
    ASSERT_TRUE(hooks);
    EXPECT_TRUE(hooks->widens);
    EXPECT_EQ(hooks->rule, "vendor/files/2");
    EXPECT_EQ(hooks->verdict, Verdict::deny);
    EXPECT_NE(hooks->reason.find("/home/alice/work"), std::string::npos);
    EXPECT_FALSE(unenforced(zones, "/usr/**/x")) << "nothing there is writable";
    EXPECT_FALSE(unenforced(zones, "/srv/*/y")) << "nothing there exists";
    ASSERT_TRUE(unenforced(zones, "**/.env"));
    EXPECT_TRUE(unenforced(zones, "**/.env")->widens);
    EXPECT_FALSE(unenforced(zones, "**/.env.example"));
    ASSERT_TRUE(unenforced(zones, "${workspace}/*.key"));
    EXPECT_EQ(unenforced(zones, "${workspace}/*.key")->verdict, Verdict::ask);
    EXPECT_EQ(zones.unenforced.size(), 3U);
}

TEST(Zones, AnExceptionOfADenialKeepsItFromBeingReported) {
    const auto zones = planned(R"({"allow": ["read", "write"], "paths": ["${workspace}/**"]},
                                  {"deny": ["write"], "paths": ["**/*.so"], "except": ["${workspace}/**"]})");
    EXPECT_TRUE(zones.unenforced.empty());
}

TEST(Zones, PatternsThatGiveAreSaidToGiveLess) {
    const auto zones = planned(R"(
        {"allow": ["read"], "paths": ["/data/*.csv", "/usr/**/*.h", "/usr/**"]},
        {"allow": ["read"], "paths": ["/keys/**"], "except": ["/keys/*.key"]},
        {"allow": ["read"], "paths": ["/s/**"]},
        {"deny": ["read"], "paths": ["/s/t/**"], "except": ["/s/t/*.pub"]})");
    ASSERT_TRUE(unenforced(zones, "/data/*.csv"));
    EXPECT_FALSE(unenforced(zones, "/data/*.csv")->widens);
    EXPECT_FALSE(unenforced(zones, "/usr/**/*.h")) << "it is there anyway";
    ASSERT_TRUE(unenforced(zones, "/keys/*.key"));
    EXPECT_TRUE(unenforced(zones, "/keys/*.key")->widens);
    ASSERT_TRUE(unenforced(zones, "/s/t/*.pub"));
    EXPECT_FALSE(unenforced(zones, "/s/t/*.pub")->widens);
    EXPECT_TRUE(mask(zones, "/s/t"));
}

// A pattern that covers a whole zone takes it away, wildcard or not.
TEST(Zones, APatternOverAWholeZoneIsEnforced) {
    const auto zones = planned(R"({"allow": ["read", "write"], "paths": ["/home/alice/x/**"]},
                                  {"deny": ["write"], "paths": ["/home/*/**"]})");
    ASSERT_TRUE(zone(zones, "/home/alice/x"));
    EXPECT_FALSE(zone(zones, "/home/alice/x")->writable);
    EXPECT_FALSE(unenforced(zones, "/home/*/**"));
    // Names of one level alone: the mount is closed for all.
    const auto level = planned(
        R"({"allow": ["read", "write"], "paths": ["/x/**"]}, {"deny": ["write"], "paths": ["/x/*/*"]})");
    EXPECT_FALSE(zone(level, "/x")->writable);
}

TEST(Zones, WhatOnlyGoesTogetherInAMountIsSaid) {
    const auto zones = planned(R"(
        {"allow": ["read", "create"], "paths": ["/drop/**"]},
        {"allow": ["write"], "paths": ["/blind/**"]},
        {"allow": ["list"], "paths": ["/names/**"]})");
    EXPECT_FALSE(zone(zones, "/drop")->writable);
    ASSERT_TRUE(unenforced(zones, "/drop/**"));
    EXPECT_FALSE(unenforced(zones, "/drop/**")->widens);
    EXPECT_FALSE(zone(zones, "/blind"));
    EXPECT_TRUE(unenforced(zones, "/blind/**"));
    EXPECT_FALSE(zone(zones, "/names"));
    EXPECT_TRUE(unenforced(zones, "/names/**"));
}

TEST(Zones, StateIsAlwaysAGrant) {
    const auto policy = compiled({layer(Authority::vendor, "vendor", R"(
        "agents": {"a": {"executables": ["/a"], "state": ["${home}/.a/**", "${home}/work/state/**", "${home}/.b-*"]}},
        "files": [{"allow": ["read", "write", "execute"], "paths": ["${workspace}/**"]}, {"ask": ["read"], "paths": ["${home}/**"], "except": ["${workspace}/**"]}])")},
                                 "a");
    const auto zones = plan_zones(policy);
    const auto* own = zone(zones, "/home/alice/.a");
    ASSERT_TRUE(own);
    EXPECT_TRUE(own->state && own->writable && own->executable);
    ASSERT_TRUE(zone(zones, "/home/alice/work/state")) << "to be created, though the workspace gives as much";
    EXPECT_TRUE(zone(zones, "/home/alice/work/state")->state);
    ASSERT_TRUE(unenforced(zones, "${home}/.b-*"));
    EXPECT_FALSE(unenforced(zones, "${home}/.b-*")->widens);
}

TEST(Zones, LayersBelowTighten) {
    const auto vendor = layer(Authority::vendor, "vendor",
                              R"("files": [{"allow": ["read", "write"], "paths": ["${workspace}/**"]}])");
    const auto user = layer(
        Authority::user, "mine",
        R"("files": [{"deny": ["write"], "paths": ["${workspace}/**"]}, {"allow": ["read"], "paths": ["/u/*"]}])");
    const auto zones = plan_zones(compiled({vendor, user}));
    EXPECT_FALSE(zone(zones, "/home/alice/work")->writable);
    EXPECT_TRUE(zones.unenforced.empty()) << "an allow of a layer below gives nothing that could be missing";
}

constexpr Means kAll{.keeper = true, .veil = true};

TEST(Zones, WithAKeeperChangesNeedNoMountsOfTheirOwn) {
    const auto zones = plan_zones(compiled_files(R"(
        {"allow": ["read", "write", "execute"], "paths": ["${workspace}/**"]},
        {"deny": ["write"], "paths": ["${workspace}/.git/hooks/**", "**/.mcp.json", "${workspace}/closed"]},
        {"deny": ["execute"], "paths": ["${workspace}/data/**"]},
        {"allow": ["read", "create"], "paths": ["/drop/**"]})"),
                                  {.keeper = true});
    EXPECT_FALSE(zone(zones, "/home/alice/work/.git/hooks"));
    EXPECT_FALSE(zone(zones, "/home/alice/work/closed"));
    ASSERT_TRUE(zone(zones, "/home/alice/work/data"));
    EXPECT_TRUE(zone(zones, "/home/alice/work/data")->writable);
    ASSERT_TRUE(zone(zones, "/drop"));
    EXPECT_TRUE(zone(zones, "/drop")->writable) << "one kind of change is decided as well as all";
    EXPECT_TRUE(zones.unenforced.empty());
    EXPECT_TRUE(zones.veiled.empty());
}

TEST(Zones, WhatAKeeperLeavesOpenIsReading) {
    const char* const files = R"({"allow": ["read", "write"], "paths": ["${workspace}/**"]},
                                 {"deny": ["read", "write"], "paths": ["**/.env"]},
                                 {"allow": ["read", "write"], "paths": ["/w/**"], "except": ["/w/*.key"]})";
    const auto zones = plan_zones(compiled_files(files), {.keeper = true});
    ASSERT_TRUE(unenforced(zones, "**/.env"));
    EXPECT_TRUE(unenforced(zones, "**/.env")->widens);
    EXPECT_NE(unenforced(zones, "**/.env")->reason.find("changes to them are denied"), std::string::npos);
    EXPECT_TRUE(unenforced(zones, "/w/*.key"));
    EXPECT_TRUE(plan_zones(compiled_files(files), {.keeper = true, .keeper_reads = true}).unenforced.empty());
}

TEST(Zones, TheVeilStandsForTheHomeAndForWhatIsAskedAboutElsewhere) {
    const auto zones = plan_zones(compiled_files(R"(
        {"allow": ["read", "write"], "paths": ["${workspace}/**"]},
        {"ask": ["read"], "paths": ["${home}/**", "/srv/data/**", "/srv/data/deep/**", "/usr/share/asked/**"], "except": ["${workspace}/**"]},
        {"allow": ["read"], "paths": ["/usr/**", "${home}/.config/*/theme", "/data/*.csv"]})"),
                                  kAll);
    EXPECT_EQ(zones.veiled, (std::vector<std::string>{"/home/alice", "/srv/data"}));
    EXPECT_FALSE(unenforced(zones, "${home}/.config/*/theme")) << "the veil shows single names";
    EXPECT_TRUE(unenforced(zones, "/data/*.csv")) << "where it stands";
}

// What the plan gives at a path: the innermost zone or mask decides.
struct Given {
    bool read = false, write = false, execute = false;
};
Given given_at(const Zones& zones, const std::string& path) {
    const auto is_around = [&](const auto& each) {
        return each.path == path || (each.tree && (each.path == "/" || path.starts_with(each.path + "/")));
    };
    Given given;
    std::size_t innermost = 0;
    for (const auto& each : zones.grants) {
        if (!is_around(each) || each.path.size() < innermost) continue;
        innermost = each.path.size();
        given = {.read = true, .write = each.writable, .execute = each.executable};
    }
    for (const auto& each : zones.masks) {
        if (!is_around(each) || each.path.size() < innermost) continue;
        innermost = each.path.size();
        given = {};
    }
    return given;
}

// What policy allows of that which a mount can give.
Given allowed_at(const Policy& policy, const std::string& path) {
    const auto allowed = [&](FileAction action) {
        return policy.decide(path, action).verdict == Verdict::allow;
    };
    Given given{.read = allowed(FileAction::read) && allowed(FileAction::list)};
    given.execute = given.read && allowed(FileAction::execute);
    given.write = given.read;
    for (const auto action : kEveryAction) {
        const bool reads =
            action == FileAction::read || action == FileAction::list || action == FileAction::execute;
        given.write = given.write && (reads || allowed(action));
    }
    return given;
}

bool is_more(const Given& a, const Given& b) {
    return (a.read && !b.read) || (a.write && !b.write) || (a.execute && !b.execute);
}

// A plan that gives more than policy says so, and so does one that shows less. (At the top of a tree, which
// changes as its parent does, fewer changes are possible than below it.)
TEST(Zones, WhatThePlanDoesNotKeepIsInUnenforced) {
    Dice dice(31);
    int exact = 0, more = 0, less = 0;
    for (int round = 0; round < 300; ++round) {
        dice.plain = round % 3 != 0;
        const auto policy = compiled(dice.layers());
        const auto zones = plan_zones(policy, {.keeper = round % 2 == 1});
        const auto is_said = [&](bool widens) {
            return std::ranges::any_of(zones.unenforced,
                                       [&](const auto& each) { return each.widens == widens; });
        };
        for (int i = 0; i < 60; ++i) {
            const auto path = dice.path();
            auto given = given_at(zones, path);
            auto allowed = allowed_at(policy, path);
            if (round % 2 == 1) given.write = allowed.write = false;  // the keeper decides on each
            if (is_more(given, allowed)) {
                ASSERT_TRUE(is_said(true)) << "round " << round << ": " << path << " is given, not allowed";
                ++more;
            } else if (dice.plain && allowed.read && !given.read) {
                ASSERT_TRUE(is_said(false)) << "round " << round << ": " << path << " is allowed, not given";
                ++less;
            } else {
                exact += given.read ? 1 : 0;
            }
        }
    }
    EXPECT_GT(exact, 100);
    EXPECT_GT(more, 0);
    EXPECT_GT(less, 0);
}

}  // namespace
}  // namespace reeve::policy
