// What holds a session to its policy at each kind of place.
#include "daemon/session/enforcement.hpp"

#include <gtest/gtest.h>

namespace reeve::session {
namespace {

using access::Place;
using policy::FileAction;

policy::Policy compiled() {
    constexpr std::string_view kText =
        R"({"schema": "reeve.policy/1", "id": "vendor", "version": 1, "files": [
  {"allow": ["read", "write"], "paths": ["/work/**"]}, {"allow": ["read"], "paths": ["/usr/**"]},
  {"id": "vendor/mcp", "deny": ["write"], "paths": ["**/.mcp.json"]},
  {"id": "vendor/env", "deny": ["read"], "paths": ["**/.env", "/work/private/**"]}]})";
    std::vector<policy::Layer> layers;
    layers.push_back({policy::Authority::vendor, policy::parse_document(kText, "vendor.jsonc").value()});
    return policy::compile(layers, {}, policy::kUnverified).value();
}

class Enforced : public testing::Test {
  protected:
    std::string by(std::string_view path, FileAction action) const {
        return std::string(enforcement_of(held_, policy_, path, action).by);
    }
    const policy::Policy policy_ = compiled();
    Held held_{
        .places = {{.path = "/home/alice", .kind = Place::Kind::veiled},
                   {.path = "/tmp", .kind = Place::Kind::scratch},
                   {.path = "/usr", .kind = Place::Kind::system},
                   {.path = "/work", .kind = Place::Kind::decided}},
        .means = {},
        .masks = {"/work/private"},
        .gaps = {{.rule = "vendor/env", .pattern = "**/.env", .reason = "no AppArmor", .widens = true}}};
};

TEST_F(Enforced, ByTheKindOfItsPlace) {
    EXPECT_EQ(by("/usr/bin/true", FileAction::read), "mount");
    EXPECT_EQ(by("/usr/bin/true", FileAction::remove), "mount");
    EXPECT_EQ(by("/home/alice/.ssh/id", FileAction::read), "veil");
    EXPECT_EQ(by("/tmp/x", FileAction::write), "mount");
    EXPECT_EQ(by("/opt/x", FileAction::read), "mount");
    EXPECT_EQ(by("/work", FileAction::list), "mount");
}

TEST_F(Enforced, ChangesTakeAKeeper) {
    EXPECT_EQ(by("/work/a", FileAction::create), "mount");
    EXPECT_EQ(by("/work/.mcp.json", FileAction::create), "nothing");
    held_.means.keeper = true;
    EXPECT_EQ(by("/work/a", FileAction::create), "keeper");
    EXPECT_EQ(by("/work/.mcp.json", FileAction::create), "keeper");
    EXPECT_EQ(by("/usr/.mcp.json", FileAction::create), "mount");
}

TEST_F(Enforced, ReadingInsideATreeTakesAMaskOrAKeeperThatSeesReads) {
    EXPECT_EQ(by("/work/private/x", FileAction::read), "mount");
    const Enforcement open = enforcement_of(held_, policy_, "/work/.env", FileAction::read);
    EXPECT_EQ(open.by, "nothing");
    EXPECT_EQ(open.reason, "no AppArmor");
    held_.gaps.clear();
    EXPECT_EQ(by("/work/.env", FileAction::read), "nothing");
    held_.means.keeper = held_.means.keeper_reads = true;
    EXPECT_EQ(by("/work/.env", FileAction::read), "keeper");
    EXPECT_EQ(by("/usr/.env", FileAction::read), "nothing");
}

}  // namespace
}  // namespace reeve::session
