// Who an executable is, and where an agent may work.
#include <gtest/gtest.h>

#include "tests/unit/policy/engine_support.hpp"

namespace reeve::policy {
namespace {

using Names = std::vector<std::string>;

TEST(Agents, AreKnownByTheirExecutables) {
    const std::vector<Layer> layers{layer(Authority::vendor, "vendor", R"("agents": {
        "claude": {"executables": ["/usr/bin/claude", "${home}/.local/share/claude/versions/*"]},
        "any": {"executables": ["/usr/bin/*"]},
        "none": {"executables": ["/none"], "workspaces": ["${home}/**"]}})")};
    EXPECT_EQ(agents_of(layers, kAlice, "/usr/bin/claude"), (Names{"any", "claude"}));
    EXPECT_EQ(agents_of(layers, kAlice, "/home/alice/.local/share/claude/versions/1.2"), Names{"claude"});
    EXPECT_EQ(agents_of(layers, kAlice, "/home/bob/.local/share/claude/versions/1.2"), Names{});
    EXPECT_EQ(agents_of(layers, kAlice, "/bin/none"), Names{});
    EXPECT_TRUE(agent_matches(layers, kAlice, "any", "/usr/bin/x"));
    EXPECT_FALSE(agent_matches(layers, kAlice, "claude", "/usr/bin/x"));
    EXPECT_FALSE(agent_matches(layers, kAlice, "nobody", "/usr/bin/x"));
    EXPECT_FALSE(agent_matches(layers, {}, "claude", "/home/alice/.local/share/claude/versions/1"))
        << "no ${home}";
}

TEST(Agents, EveryLayerThatNamesExecutablesHasToMatch) {
    const auto vendor =
        layer(Authority::vendor, "vendor", R"("agents": {"a": {"executables": ["/usr/bin/*"]}})");
    const auto user = layer(Authority::user, "mine", R"("agents": {"a": {"executables": ["/usr/bin/a"]}})");
    EXPECT_EQ(agents_of({vendor, user}, kAlice, "/usr/bin/a"), Names{"a"});
    EXPECT_EQ(agents_of({vendor, user}, kAlice, "/usr/bin/b"), Names{});
}

// Who extends a definition replaces what it names, and keeps the rest.
TEST(Agents, AnOrganisationsDefinitionReplacesTheVendorsThatItExtends) {
    const auto vendor =
        layer(Authority::vendor, "vendor", R"("agents": {"a": {"executables": ["/usr/bin/a", "${home}/bin/a"],
        "workspaces": ["${home}/**"], "state": ["${home}/.a/**"]}})");
    const auto acme = layer(Authority::organisation, "acme",
                            R"("extends": ["vendor"], "agents": {"a": {"executables": ["/opt/a"]}})");
    EXPECT_EQ(agents_of({vendor, acme}, kAlice, "/opt/a"), Names{"a"});
    EXPECT_EQ(agents_of({vendor, acme}, kAlice, "/home/alice/bin/a"), Names{});
    EXPECT_TRUE(check_workspace({vendor, acme}, kAlice, "a", "/home/alice/x"));
    EXPECT_FALSE(check_workspace({vendor, acme}, kAlice, "a", "/srv"));
    EXPECT_EQ(compiled({vendor, acme}, "a").decide("/home/alice/.a/x", FileAction::write).verdict,
              Verdict::allow);
}

// A person's own documents must not say who the agents of the rules above are.
TEST(Agents, APersonsDocumentsGiveNobodyANameThatRulesAboveSpeakOf) {
    const auto acme = layer(Authority::organisation, "acme",
                            R"("files": [{"allow": ["read"], "paths": ["/data/**"], "agents": ["a"]}])");
    const auto user =
        layer(Authority::user, "mine",
              R"("agents": {"a": {"executables": ["/tmp/x"]}, "b": {"executables": ["/tmp/x"]}})");
    EXPECT_EQ(agents_of({acme, user}, kAlice, "/tmp/x"), Names{"b"});
}

TEST(Workspace, IsNeverTheRootTheHomeOrAboveIt) {
    const std::vector<Layer> layers{layer(
        Authority::vendor, "vendor", R"("agents": {"a": {"executables": ["/a"], "workspaces": ["/**"]}})")};
    for (const char* agent : {"a", "unverified"}) {
        for (const char* no :
             {"/", "/home", "/home/alice", "/home/alice/", "relative", "/home/alice/../bob", ""}) {
            const auto checked = check_workspace(layers, kAlice, agent, no);
            ASSERT_FALSE(checked) << no;
            EXPECT_NE(checked.error().find("cannot be the workspace"), std::string::npos);
        }
        EXPECT_TRUE(check_workspace(layers, kAlice, agent, "/home/alice/x"));
        EXPECT_TRUE(check_workspace(layers, kAlice, agent, "/home/alicex"));
        EXPECT_TRUE(check_workspace(layers, kAlice, agent, "/srv/x"));
    }
    EXPECT_FALSE(check_workspace(layers, {}, "a", "/srv/x")) << "no home is known";
}

TEST(Workspace, MustMatchInEveryLayerThatNamesSome) {
    const auto vendor = layer(Authority::vendor, "vendor",
                              R"("agents": {"a": {"executables": ["/a"], "workspaces": ["${home}/**"]}})");
    const auto user =
        layer(Authority::user, "mine",
              R"("agents": {"a": {"executables": ["/a"], "workspaces": ["${home}/Projects/**"]}})");
    EXPECT_TRUE(check_workspace({vendor}, kAlice, "a", "/home/alice/x"));
    EXPECT_TRUE(check_workspace({vendor, user}, kAlice, "a", "/home/alice/Projects/x"));
    const auto no = check_workspace({vendor, user}, kAlice, "a", "/home/alice/x");
    ASSERT_FALSE(no);
    EXPECT_EQ(
        no.error(),
        "\"/home/alice/x\" cannot be the workspace: the user's policy lets a work in ${home}/Projects/**");
    EXPECT_TRUE(check_workspace({vendor, user}, kAlice, "other", "/srv/x")) << "nobody limits those";
    auto broken = vendor;
    broken.document.extends = {"nothing"};
    EXPECT_FALSE(check_workspace({broken}, kAlice, "a", "/home/alice/x"));
}

}  // namespace
}  // namespace reeve::policy
