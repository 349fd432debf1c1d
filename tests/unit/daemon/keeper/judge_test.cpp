// What is done about a change, by place and policy; and what may not be gained by a rename.
#include "daemon/keeper/judge.hpp"

#include <errno.h>
#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/eventfd.h>

#include "daemon/keeper/gain.hpp"
#include "platform/linux/seqpacket.hpp"
#include "policy/engine.hpp"

namespace reeve::keeper {
namespace {

using access::Place;
using policy::FileAction;
using Way = Judgement::Way;

policy::Policy compile(const char* mode) {
    const std::string text =
        std::string(R"({"schema": "reeve.policy/1", "id": "test", "version": 1, "mode": ")") + mode +
        R"(", "files": [
        {"allow": ["read", "write", "execute"], "paths": ["/w/**", "/v/**"]},
        {"id": "ask", "ask": ["write"], "paths": ["/w/asked/**"]},
        {"id": "mcp", "deny": ["write"], "paths": ["**/.mcp.json"]},
        {"id": "hooks", "deny": ["write"], "paths": ["**/.git/hooks/**"]},
        {"id": "secret", "deny": ["read"], "paths": ["**/.env"]},
        {"id": "usr", "deny": ["write"], "paths": ["/usr/denied/**"]}]})";
    auto document = policy::parse_document(text, "test");
    if (!document) throw std::runtime_error(document.error().front().message);
    auto compiled = policy::compile({{policy::Authority::organisation, *document}}, {}, policy::kUnverified);
    if (!compiled) throw std::runtime_error(compiled.error().front().message);
    return std::move(*compiled);
}

struct NoWaiting : Waiting {
    bool begin(const platform::notify::Call&) override { return true; }
    int interrupted() const override { return 0; }
    void end() override {}
};

class Judging : public testing::Test {
  protected:
    explicit Judging(const char* mode = "enforce")
        : policy_(compile(mode)),
          listener_(*platform::notify::Listener::take(platform::Fd(::eventfd(0, EFD_CLOEXEC)))),
          tree_(platform::Fd(::open("/", O_PATH | O_CLOEXEC))),
          pair_(*platform::seqpacket_pair()),
          reporter_(std::move(pair_.ours)),
          engine_{setup_, policy_.table(), listener_, tree_, reporter_, waiting_} {
        setup_.places = {{.path = "/", .kind = Place::Kind::system},
                         {.path = "/s", .kind = Place::Kind::scratch},
                         {.path = "/tmp", .kind = Place::Kind::scratch, .continued = true},
                         {.path = "/v", .kind = Place::Kind::veiled, .log = policy::kLogChanges},
                         {.path = "/w", .kind = Place::Kind::decided, .log = policy::kLogChanges},
                         {.path = "/w/quiet", .kind = Place::Kind::decided}};
    }
    Location at(const std::string& path, bool inside = true, bool read_only = true) const {
        return {.path = path, .place = setup_.place_of(path), .inside = inside, .read_only = read_only};
    }
    Judgement judge(const Location& where, Guard guard = Guard::landlock,
                    std::initializer_list<FileAction> actions = {FileAction::create, FileAction::write}) {
        return Judge(engine_).judge(where, actions, guard);
    }
    bool gains(const std::string& from, const std::string& to, bool directory) const {
        return keeper::gains(engine_, at(from), at(to), directory);
    }

    policy::Policy policy_;
    access::Setup setup_;
    platform::notify::Listener listener_;
    Tree tree_;
    platform::SocketPair pair_;
    access::Reporter reporter_;
    NoWaiting waiting_;
    Engine engine_;
};

TEST_F(Judging, DecidedPlaces) {
    const Judgement allowed = judge(at("/w/a"));
    EXPECT_EQ(allowed.way, Way::perform);
    EXPECT_TRUE(allowed.recorded && allowed.decided);
    EXPECT_FALSE(judge(at("/w/quiet/a")).recorded);
    for (const char* path :
         {"/w/.mcp.json", "/w/a/.git/hooks/x", "/w/asked/x", "/w/quiet/.mcp.json", "/v/.mcp.json"})
        for (const Guard guard : {Guard::landlock, Guard::none}) {
            const Judgement refused = judge(at(path), guard);
            EXPECT_EQ(refused.way, Way::refuse) << path;
            EXPECT_EQ(refused.code, EACCES);
            EXPECT_TRUE(refused.recorded);
        }
}

TEST_F(Judging, ScratchGoesOnInTheKernelOnlyWhereLandlockStandsBehindIt) {
    EXPECT_EQ(judge(at("/tmp/.mcp.json")).way, Way::proceed);
    EXPECT_EQ(judge(at("/tmp/.mcp.json"), Guard::none).way, Way::perform);
    EXPECT_EQ(judge(at("/s/.mcp.json")).way, Way::perform);
    EXPECT_FALSE(judge(at("/s/.mcp.json")).recorded);
}

TEST_F(Judging, TheSystem) {
    EXPECT_EQ(judge(at("/usr/bin/x")).way, Way::proceed);
    EXPECT_FALSE(judge(at("/usr/bin/x")).recorded);
    EXPECT_EQ(judge(at("/usr/denied/x")).way, Way::refuse);
    EXPECT_TRUE(judge(at("/usr/denied/x")).recorded);
    EXPECT_EQ(judge(at("/usr/bin/x"), Guard::none).way, Way::perform);
    EXPECT_EQ(judge(at("/usr/bin/x", true, false), Guard::none).way, Way::refuse);
}

// The path of what is not on a mount of the session says nothing: the host has the same names.
TEST_F(Judging, WhatIsNotTheSessions) {
    for (const char* path : {"/w/a", "/s/a", "/tmp/a", "/v/a", "/usr/a"}) {
        EXPECT_EQ(judge(at(path, false, false)).way, Way::proceed) << path;
        EXPECT_EQ(judge(at(path, false, false), Guard::none).way, Way::refuse) << path;
    }
}

TEST_F(Judging, FilesGainNothing) {
    EXPECT_FALSE(gains("/w/a", "/w/b", false));
    EXPECT_FALSE(gains("/w/a", "/w/x/.env", false));
    EXPECT_TRUE(gains("/w/.env", "/w/b", false)) << "what cannot be read would be read";
    EXPECT_TRUE(gains("/w/.mcp.json", "/w/b", false));
    EXPECT_TRUE(gains("/w/asked/a", "/w/b", false));
    EXPECT_TRUE(gains("/s/a", "/w/b", false)) << "what was never judged";
    EXPECT_TRUE(gains("/w/a", "/s/b", false));
    EXPECT_FALSE(gains("/s/a", "/s/b", true));
}

TEST_F(Judging, DirectoriesGainNothingBelow) {
    EXPECT_FALSE(gains("/w/a", "/w/b/c", true));
    EXPECT_TRUE(gains("/w/x", "/w/.git", true)) << "x/hooks would be .git/hooks";
    EXPECT_TRUE(gains("/w/.git", "/w/x", true));
    EXPECT_TRUE(gains("/w/a", "/w/asked/a", true));
    EXPECT_FALSE(gains("/w/.git/objects", "/w/b", true));
}

TEST_F(Judging, NoLinkStandsWhereRulesSpeakOfNamesBelow) {
    const auto link = [&](const char* path) {
        Judgement judged = judge(at(path), Guard::landlock, {FileAction::create});
        Judge(engine_).judge_link(at(path), judged);
        return judged;
    };
    for (const char* path : {"/w/.git", "/w/a/.git/hooks", "/w/asked", "/v/.git"}) {
        EXPECT_EQ(link(path).way, Way::refuse) << path;
        EXPECT_NE(link(path).decision.verdict, policy::Verdict::allow);
        EXPECT_TRUE(link(path).recorded);
    }
    for (const char* path : {"/w/a", "/w/node_modules/.bin/x", "/w/.git/x", "/w/hooks", "/s/.git"})
        EXPECT_EQ(link(path).way, Way::perform) << path;
    EXPECT_EQ(link("/tmp/.git").way, Way::proceed);
}

class Observing : public Judging {
  protected:
    Observing() : Judging("observe") {}
};

TEST_F(Observing, NothingIsRefusedAndAllThatWouldBeIsRecorded) {
    const Judgement judged = judge(at("/w/quiet/.mcp.json"));
    EXPECT_EQ(judged.way, Way::perform);
    EXPECT_TRUE(judged.recorded);
    EXPECT_EQ(judged.decision.verdict, policy::Verdict::deny);
    EXPECT_FALSE(gains("/w/x", "/w/.git", true));
}

}  // namespace
}  // namespace reeve::keeper
