// Layers of documents in, decisions out.
#include "policy/engine.hpp"

#include <gtest/gtest.h>

#include "tests/unit/policy/engine_support.hpp"

namespace reeve::policy {
namespace {

Verdict verdict(const Policy& policy, std::string_view path, FileAction action = FileAction::read) {
    return policy.decide(path, action).verdict;
}

TEST(Engine, DecidesAsTheSlowMatcherDoesOverRandomLayers) {
    Dice dice(11);
    for (int round = 0; round < 150; ++round) {
        const auto layers = dice.layers();
        const auto stack = arrange(layers);
        ASSERT_TRUE(stack);
        const auto policy = compiled(layers, dice.one_in(2) ? "one" : kUnverified);
        for (int i = 0; i < 40; ++i) {
            const auto path = dice.path();
            const auto action = kEveryAction[dice.below(kFileActions)];
            const auto slow = decide_slowly(policy, stack->base, path, action);
            const auto decision = policy.decide(path, action);
            ASSERT_EQ(decision.verdict, slow.verdict) << "round " << round << " " << path;
            ASSERT_EQ(decision.hidden, slow.hidden) << "round " << round << " " << path;
            ASSERT_EQ(decision.canary, slow.canary) << "round " << round << " " << path;
            std::vector<std::string> explained;
            const auto explanation = policy.explain(path, action);
            for (const auto& of_layer : explanation.layers) {
                for (const auto& candidate : of_layer.rules) explained.push_back(candidate.rule);
            }
            auto matched = slow.matched;
            std::ranges::sort(explained);
            std::ranges::sort(matched);
            ASSERT_EQ(explained, matched) << "round " << round << " " << path;
            ASSERT_EQ(explanation.decision.verdict, decision.verdict);
        }
    }
}

TEST(Engine, TheOrderOfLayersAndOfDocumentsDecidesNothing) {
    Dice dice(12);
    for (int round = 0; round < 60; ++round) {
        auto layers = dice.layers();
        const auto first = compiled(layers);
        std::shuffle(layers.begin(), layers.end(), dice.random());
        const auto second = compiled(layers);
        const auto a = first.table_bytes(), b = second.table_bytes();
        ASSERT_TRUE(std::ranges::equal(a, b)) << "round " << round;
    }
}

// Rules change places: the verdicts stay (the names of rules without an id do not).
TEST(Engine, TheOrderOfRulesDecidesNothing) {
    Dice dice(13);
    for (int round = 0; round < 60; ++round) {
        auto layers = dice.layers();
        const auto first = compiled(layers);
        for (auto& layer : layers) {
            std::shuffle(layer.document.files.begin(), layer.document.files.end(), dice.random());
        }
        const auto second = compiled(layers);
        for (int i = 0; i < 60; ++i) {
            const auto path = dice.path();
            for (const auto action : kEveryAction)
                ASSERT_EQ(verdict(first, path, action), verdict(second, path, action));
        }
    }
}

TEST(Engine, TheStrictestMatchWinsAndOnlyExceptCutsAHole) {
    const auto policy = compiled_files(R"(
        {"allow": ["read"], "paths": ["/a/**"]},
        {"deny": ["read"], "paths": ["/a/b/**"], "except": ["/a/b/c/**"], "reason": "not b", "label": "secret"},
        {"ask": ["read"], "paths": ["/a/x", "/a/b/c/x"]},
        {"allow": ["read"], "paths": ["/a/b/d"]})");
    EXPECT_EQ(verdict(policy, "/a"), Verdict::allow);
    EXPECT_EQ(verdict(policy, "/a/x"), Verdict::ask);
    EXPECT_EQ(verdict(policy, "/a/b"), Verdict::deny);
    EXPECT_EQ(verdict(policy, "/a/b/d"), Verdict::deny) << "a narrower allow is no exception";
    EXPECT_EQ(verdict(policy, "/a/b/c"), Verdict::allow);
    EXPECT_EQ(verdict(policy, "/a/b/c/x"), Verdict::ask);
    EXPECT_EQ(verdict(policy, "/other"), Verdict::deny);
    const auto decision = policy.decide("/a/b/d", FileAction::read);
    EXPECT_EQ(decision.rule, "vendor/files/1");
    EXPECT_EQ(decision.reason, "not b");
    EXPECT_EQ(decision.label, "secret");
    EXPECT_EQ(decision.decided_by, DecidedBy::rule);
    const auto other = policy.decide("/other", FileAction::read);
    EXPECT_EQ(other.decided_by, DecidedBy::default_);
    EXPECT_EQ(other.rule, "");
    EXPECT_FALSE(other.reason.empty());
}

TEST(Engine, ReadAndWriteCoverWhatTheySay) {
    const auto policy =
        compiled_files(R"({"allow": ["write"], "paths": ["/w/**"]}, {"allow": ["read"], "paths": ["/r/**"]},
                                          {"allow": ["create"], "paths": ["/c/**"]})");
    for (const auto action : kEveryAction) {
        const bool reads = action == FileAction::read || action == FileAction::list;
        const bool writes = !reads && action != FileAction::execute;
        EXPECT_EQ(verdict(policy, "/w/x", action) == Verdict::allow, writes) << name_of(action);
        EXPECT_EQ(verdict(policy, "/r/x", action) == Verdict::allow, reads) << name_of(action);
        EXPECT_EQ(verdict(policy, "/c/x", action) == Verdict::allow, action == FileAction::create)
            << name_of(action);
    }
}

TEST(Engine, EachLayerIsDecidedAloneAndTheStrictestWins) {
    const auto vendor =
        layer(Authority::vendor, "vendor", R"("files": [{"allow": ["read"], "paths": ["/v/**"]}])");
    const auto acme = layer(Authority::organisation, "acme",
                            R"("files": [{"allow": ["read"], "paths": ["/v/**", "/o/**"]}])");
    const auto user =
        layer(Authority::user, "mine",
              R"("files": [{"allow": ["read"], "paths": ["/u/**"]}, {"deny": ["read"], "paths": ["/v/no/**"]},
                                         {"ask": ["read"], "paths": ["/v/ask/**", "/nowhere/**"]}])");
    const auto with_vendor = compiled({vendor, user});
    EXPECT_EQ(verdict(with_vendor, "/v/x"), Verdict::allow);
    EXPECT_EQ(verdict(with_vendor, "/u/x"), Verdict::deny) << "a layer below allows nothing";
    EXPECT_EQ(verdict(with_vendor, "/v/no"), Verdict::deny);
    EXPECT_EQ(verdict(with_vendor, "/v/ask/x"), Verdict::ask);
    EXPECT_EQ(verdict(with_vendor, "/nowhere"), Verdict::deny) << "an ask below does not widen the default";
    EXPECT_EQ(with_vendor.warnings().size(), 1U);
    EXPECT_EQ(to_string(with_vendor.warnings()[0]),
              "mine.jsonc:1:54: warning: the rule \"mine/files/0\" allows nothing: only the vendor's "
              "documents can; "
              "documents of the user can only deny and ask");

    // The organisation's layer is the base then, and the vendor's is neutral where it does not match.
    const auto both = compiled({vendor, acme});
    EXPECT_EQ(verdict(both, "/v/x"), Verdict::allow);
    EXPECT_EQ(verdict(both, "/o/x"), Verdict::allow);
    const auto strict_vendor =
        layer(Authority::vendor, "vendor", R"("files": [{"deny": ["read"], "paths": ["/o/**"]}])");
    EXPECT_EQ(verdict(compiled({strict_vendor, acme}), "/o/x"), Verdict::deny);
}

TEST(Engine, OfTheDenialsOfAPathACanaryDecidesAndThenOneThatHides) {
    const std::string files = R"(
        {"id": "tree", "deny": ["read", "write"], "paths": ["${home}/.aws/**"]},
        {"id": "hides", "deny": ["read", "write"], "paths": ["${home}/.aws/s**"], "hidden": true},
        {"id": "floats", "deny": ["read"], "paths": ["**/secret"]},
        {"id": "canary", "deny": ["read"], "paths": ["${home}/.aws/{credentials,secret}", "/x"], "canary": true},
        {"id": "allows", "allow": ["read"], "paths": ["/x"]})";
    const std::vector<Layer> layers{
        layer(Authority::vendor, "vendor", "\"files\": [" + files + "]"),
        layer(Authority::user, "mine", R"("files": [{"deny": ["read"], "paths": ["/y"], "canary": true}])")};
    // The second leaves out runners-up: not those that win.
    for (const std::size_t exact : {Bounds{}.exact, std::size_t{1}}) {
        const auto policy = compile(layers, kAlice, kUnverified, {.exact = exact});
        ASSERT_TRUE(policy);
        const auto decided = [&](const char* path, FileAction action = FileAction::read) {
            const auto decision = policy->decide(path, action);
            return std::string(decision.rule) + (decision.hidden ? " hidden" : "") +
                   (decision.canary ? " canary" : "");
        };
        EXPECT_EQ(decided("/home/alice/.aws"), "tree");
        EXPECT_EQ(decided("/home/alice/.aws/config"), "tree");
        EXPECT_EQ(decided("/home/alice/.aws/sso"), "hides hidden");
        EXPECT_EQ(decided("/home/alice/.aws/credentials"), "canary canary");
        EXPECT_EQ(decided("/home/alice/.aws/credentials", FileAction::write), "tree");
        EXPECT_EQ(decided("/home/alice/.aws/secret"), "canary canary");
        EXPECT_EQ(decided("/home/alice/.aws/secret", FileAction::write), "hides hidden");
        EXPECT_EQ(decided("/a/secret"), "floats");
        EXPECT_EQ(decided("/x"), "canary canary");
        EXPECT_EQ(decided("/y"), "mine/files/0 canary");
        EXPECT_EQ(policy->canaries(), (std::vector<std::string>{"/home/alice/.aws/credentials",
                                                                "/home/alice/.aws/secret", "/x", "/y"}));
        EXPECT_EQ(policy->explain("/home/alice/.aws/secret", FileAction::read).layers[0].rules[0].rule,
                  "canary");
    }
}

TEST(Engine, ExplainNamesTheRunnersUp) {
    const auto policy =
        compiled({layer(Authority::vendor, "vendor", R"("files": [
            {"allow": ["read"], "paths": ["/a/**"], "log": ["opens", "writes"]},
            {"ask": ["read"], "paths": ["/a/b/**"]},
            {"deny": ["write"], "paths": ["/a/b/**"]}])"),
                  layer(Authority::device, "device",
                        R"("files": [{"deny": ["read"], "paths": ["/a/b/c"], "reason": "here"}])")});
    const auto explanation = policy.explain("/a/b/c", FileAction::read);
    EXPECT_EQ(explanation.decision.rule, "device/files/0");
    ASSERT_EQ(explanation.layers.size(), 2U);
    const auto& base = explanation.layers[0];
    EXPECT_TRUE(base.base);
    EXPECT_EQ(base.verdict, Verdict::ask);
    ASSERT_EQ(base.rules.size(), 2U);
    EXPECT_EQ(base.rules[0].rule, "vendor/files/1");
    EXPECT_EQ(base.rules[1].rule, "vendor/files/0");
    EXPECT_EQ(base.rules[1].log, kLogOpens | kLogWrites);
    EXPECT_EQ(base.rules[1].file, "vendor.jsonc");
    EXPECT_EQ(base.rules[1].line, 2U);
    const auto& device = explanation.layers[1];
    EXPECT_EQ(device.authority, Authority::device);
    EXPECT_EQ(device.verdict, Verdict::deny);
    const auto none = policy.explain("/b", FileAction::read);
    EXPECT_EQ(none.layers[0].verdict, Verdict::deny);
    EXPECT_FALSE(none.layers[1].verdict);
}

TEST(Engine, ExtendingBringsTheVendorsRulesIntoTheOrganisationsLayer) {
    const auto vendor =
        layer(Authority::vendor, "vendor", R"("files": [{"allow": ["read"], "paths": ["/v/**"]}])");
    const auto acme = layer(Authority::organisation, "acme", R"("version": 12, "extends": ["vendor"],
        "files": [{"allow": ["read"], "paths": ["/o/**"]}, {"deny": ["read"], "paths": ["/v/no"]}])");
    const auto policy = compiled({vendor, acme});
    EXPECT_EQ(policy.policy_id(), "acme@12");
    EXPECT_EQ(verdict(policy, "/v/x"), Verdict::allow);
    EXPECT_EQ(verdict(policy, "/v/no"), Verdict::deny);
    EXPECT_EQ(verdict(policy, "/o/x"), Verdict::allow);
    EXPECT_EQ(policy.explain("/v/x", FileAction::read).layers.size(), 1U)
        << "the vendor has no layer of its own then";

    auto lost = acme;
    lost.document.extends = {"vendro"};
    EXPECT_EQ(compile_faults({vendor, lost}),
              "acme.jsonc: it extends \"vendro\", and there is no such document; documents that can be "
              "extended: \"vendor\"");
    const auto user = layer(Authority::user, "mine", R"("extends": ["vendor"])");
    EXPECT_NE(compile_faults({vendor, user}).find("\"extends\" is for documents of the organisation"),
              std::string::npos);
    EXPECT_NE(compile_faults({layer(Authority::user, "mine", R"("files": [])")}).find("neither a vendor's"),
              std::string::npos);
}

TEST(Engine, RulesForOtherAgentsAreLeftOut) {
    const std::vector<Layer> layers{
        layer(Authority::vendor, "vendor",
              R"("agents": {"a": {"executables": ["/a"]}, "b": {"executables": ["/b"]}}, "files": [
        {"allow": ["read"], "paths": ["/x/**"]}, {"deny": ["read"], "paths": ["/x/secret"], "agents": ["a"]},
        {"deny": ["read"], "paths": ["/x/more"], "agents": ["cowrok"]}])")};
    EXPECT_EQ(verdict(compiled(layers, "a"), "/x/secret"), Verdict::deny);
    const auto b = compiled(layers, "b");
    EXPECT_EQ(verdict(b, "/x/secret"), Verdict::allow);
    EXPECT_EQ(b.agent(), "b");
    EXPECT_EQ(b.rules().size(), 1U);
    ASSERT_EQ(b.warnings().size(), 1U);
    EXPECT_NE(b.warnings()[0].message.find("no document defines the agent \"cowrok\""), std::string::npos);
}

TEST(Engine, AnAgentsStateIsItsOwnApartFromWhatRulesProtectInIt) {
    const std::vector<Layer> layers{layer(Authority::vendor, "vendor", R"(
        "agents": {"cowork": {"executables": ["/c"], "state": ["${home}/.config/cowork/**"]}},
        "files": [{"ask": ["read", "write", "execute"], "paths": ["${home}/**"]},
                  {"ask": ["read"], "paths": ["${home}/.config/cowork/keys/**"]},
                  {"deny": ["write"], "paths": ["**/hooks/**"]}])")};
    const auto policy = compiled(layers, "cowork");
    const std::string state = "/home/alice/.config/cowork";
    for (const auto action : kEveryAction) {
        EXPECT_EQ(verdict(policy, state, action), Verdict::allow) << name_of(action);
        EXPECT_EQ(verdict(policy, state + "/x/y", action), Verdict::allow) << name_of(action);
        EXPECT_EQ(verdict(policy, "/home/alice/x", action), Verdict::ask) << name_of(action);
    }
    EXPECT_EQ(verdict(policy, state + "/keys/x"), Verdict::ask);
    EXPECT_EQ(verdict(policy, state + "/hooks/x", FileAction::write), Verdict::deny);
    EXPECT_EQ(policy.decide(state, FileAction::read).rule, "vendor/agents/cowork/state");
    EXPECT_TRUE(policy.rules().back().state);
    EXPECT_EQ(verdict(compiled(layers), state), Verdict::ask) << "others are asked";

    // A question of another layer stands: only the layer that gives the state knows of it.
    auto more = layers;
    more.push_back(
        layer(Authority::user, "mine", R"("files": [{"ask": ["read"], "paths": ["${home}/**"]}])"));
    EXPECT_EQ(verdict(compiled(more, "cowork"), state), Verdict::ask);
}

TEST(Engine, VariablesNeedAValueThatFits) {
    const auto home = layer(Authority::vendor, "vendor",
                            "\"files\": [\n {\"allow\": [\"read\"], \"paths\": [\"${workspace}/**\"]}]");
    EXPECT_EQ(
        compile_faults({home}, {.home = "/home/a", .workspace = {}, .user = {}, .session = {}, .tmp = {}}),
        "vendor.jsonc:2:32: the pattern \"${workspace}/**\": ${workspace} has no value here");
    const auto odd = [](Variables variables) {
        return compile_faults({layer(Authority::vendor, "vendor", "\"files\": []")}, variables);
    };
    EXPECT_NE(odd({.home = "/a/../b", .workspace = {}, .user = {}, .session = {}, .tmp = {}}), "");
    EXPECT_NE(odd({.home = {}, .workspace = "relative", .user = {}, .session = {}, .tmp = {}}), "");
    EXPECT_NE(odd({.home = {}, .workspace = {}, .user = "../x", .session = {}, .tmp = {}}), "");
    EXPECT_NE(odd({.home = {}, .workspace = {}, .user = {}, .session = std::string("\0", 1), .tmp = {}}), "");
    EXPECT_EQ(odd({}), "");
}

TEST(Engine, ValuesWithSignsOfPatternsAreLiteral) {
    const Variables odd{
        .home = "/home/*", .workspace = "/home/*/{a,b}[c]", .user = "*", .session = {}, .tmp = {}};
    const auto policy = compiled({layer(Authority::vendor, "vendor",
                                        R"("files": [{"allow": ["read"], "paths": ["${workspace}/**"]}])")},
                                 kUnverified, odd);
    EXPECT_EQ(verdict(policy, "/home/*/{a,b}[c]/x"), Verdict::allow);
    EXPECT_EQ(verdict(policy, "/home/x/ac/x"), Verdict::deny);
}

TEST(Engine, OverItsBoundsItNamesTheRule) {
    const std::vector<Layer> layers{layer(Authority::vendor, "vendor", R"("files": [
        {"allow": ["read"], "paths": ["/usr/**"]},
        {"id": "greedy", "deny": ["read"], "paths": ["**/*a????????????????????"]}])")};
    EXPECT_EQ(compile_faults(layers, kAlice, kUnverified, {.states = 20'000, .bytes = kMaxTableBytes})
                  .substr(0, 144),
              "vendor.jsonc:3:54: the policy becomes too large (more than 20000 states), and the rule "
              "\"greedy\" with the "
              "pattern \"**/*a????????????????????\" has");
    const auto bytes = compile_faults(layers, kAlice, kUnverified, {.states = 500'000, .bytes = 30'000});
    EXPECT_NE(bytes.find("greedy"), std::string::npos) << bytes;
    const std::vector<Layer> texts{
        layer(Authority::vendor, "vendor",
              R"("files": [{"id": "wordy", "deny": ["read"], "paths": ["/a"], "reason": ")" +
                  std::string(490, 'x') + "\"}]")};
    const auto wordy = compile_faults(texts, kAlice, kUnverified, {.states = 500'000, .bytes = 500});
    EXPECT_NE(wordy.find("wordy"), std::string::npos) << wordy;
}

// Where the automaton would be too large to tell all runners-up, it still decides the same, by the same rule.
TEST(Engine, WithoutIdleRunnersUpItDecidesTheSame) {
    Dice dice(14);
    for (int round = 0; round < 150; ++round) {
        auto layers = dice.layers();
        for (auto& layer : layers) {
            for (auto& rule : layer.document.files) {
                if (dice.one_in(2)) rule.except.clear();
            }
        }
        const auto exact = compiled(layers);
        const auto reduced = compile(layers, kAlice, kUnverified, {.exact = 0});
        ASSERT_TRUE(reduced);
        for (int i = 0; i < 60; ++i) {
            const auto path = dice.path();
            for (const auto action : kEveryAction) {
                const auto a = exact.decide(path, action), b = reduced->decide(path, action);
                ASSERT_EQ(a.verdict, b.verdict) << "round " << round << " " << path;
                ASSERT_EQ(a.rule, b.rule) << "round " << round << " " << path;
            }
            const auto other = dice.path();
            if (reduced->table().same_below(path, other)) {
                for (const char* tail : {"", "/a", "/ab/b", "/.a/x", "/b/a/a"}) {
                    if (path == "/" || other == "/") continue;
                    ASSERT_EQ(exact.decide(path + tail, FileAction::read).verdict,
                              exact.decide(other + tail, FileAction::read).verdict);
                }
            }
        }
    }
}

TEST(Engine, ManyRulesAboutTreesThatFloatAreNotTooMany) {
    std::string files = R"({"allow": ["read", "write"], "paths": ["/**"]})";
    for (int i = 0; i < 15; ++i) {
        const auto n = std::to_string(i);
        files += R"(, {"deny": ["write"], "paths": ["**/name-)" + n +
                 R"(/**"]}, {"deny": ["read"], "paths": ["**/other-)" + n + R"(/**"]})";
    }
    const auto policy = compiled_files(files);
    EXPECT_EQ(policy.decide("/a/name-14/name-7/x", FileAction::write).rule, "vendor/files/15");
    EXPECT_EQ(policy.decide("/a/other-1/name-7/x", FileAction::read).rule, "vendor/files/4");
    EXPECT_EQ(policy.decide("/a/other-1/name-7/x", FileAction::write).rule, "vendor/files/15");
    EXPECT_EQ(policy.decide("/a/other/x", FileAction::write).verdict, Verdict::allow);
}

TEST(Engine, TheTableOutlivesAMove) {
    auto policy = compiled_files(R"({"allow": ["read"], "paths": ["/a/**"]})");
    Policy moved = std::move(policy);
    EXPECT_EQ(verdict(moved, "/a/b"), Verdict::allow);
    policy = std::move(moved);
    EXPECT_EQ(verdict(policy, "/a/b"), Verdict::allow);
}

}  // namespace
}  // namespace reeve::policy
