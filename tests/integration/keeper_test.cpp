// reeve-keeper, alone: programs change files in a session that has a real one.
#include <gtest/gtest.h>

#include "tests/integration/keeper_harness.hpp"

namespace reeve::test {
namespace {

namespace fs = std::filesystem;

constexpr const char* kRules =
    R"({"id": "mcp", "deny": ["write"], "paths": ["**/.mcp.json"], "reason": "runs later"},
       {"id": "hooks", "deny": ["write"], "paths": ["**/.git/hooks/**"], "except": ["**/.git/hooks/*.sample"]})";

TEST(Keeper, MakesMovesAndRemovesWhatPolicyAllows) {
    Kept kept({.rules = kRules});
    const auto result = kept.shell(
        "set -e; echo one > a; mkdir -p d/e; mv a d/e/b; ln -s e d/l; echo two >> d/l/b; cat d/e/b; chmod "
        "600 d/e/b; "
        "stat -c %a d/e/b; ln d/e/b hard; truncate -s 3 hard; cat d/e/b; touch -d @1000 hard; stat -c %Y "
        "d/e/b; "
        "mkfifo f; rm f hard; rm -r d; ls -A; umask 077; echo x > y; stat -c %a y");
    EXPECT_EQ(result.exit_code, 0) << result.text();
    EXPECT_EQ(result.output, "one\ntwo\n600\none1000\n600\n") << result.text();
    EXPECT_EQ(result.told("open", kept.workspace() / "a", 0), 1u) << result.text();
    EXPECT_EQ(result.told("rename", kept.workspace() / "a", 0), 1u);
    EXPECT_EQ(result.told("mkdir", kept.workspace() / "d/e", 0), 1u);
    EXPECT_EQ(result.told("unlink", kept.workspace() / "d/e/b", 0), 1u);
}

TEST(Keeper, NoWayMakesAForbiddenName) {
    Kept kept({.rules = kRules});
    kept.write(kept.workspace() / ".git/config", "x");
    kept.make_directory(kept.workspace() / ".git/hooks");
    const auto result = kept.shell(
        "echo x > ok; ! echo x > .mcp.json && ! mv ok .mcp.json && ! ln ok .mcp.json && ! ln -s ok .mcp.json "
        "&& "
        "! mkdir .mcp.json && ! mkfifo .mcp.json && ! echo x > .git/hooks/pre-commit && "
        "echo x > .git/hooks/a.sample && ! mv .git/hooks/a.sample .git/hooks/post-commit && "
        "ln -s .mcp.json link && ! echo x > link && mkdir -p x/hooks && echo evil > x/hooks/evil && "
        "mv .git old; mv x .git; ! test -e .git/hooks/evil; cd .git/hooks && ! echo x > ../../.mcp.json && "
        "! echo x > pre-push");
    EXPECT_EQ(result.exit_code, 0) << result.text();
    EXPECT_FALSE(fs::exists(fs::symlink_status(kept.workspace() / ".mcp.json")));
    EXPECT_FALSE(fs::exists(kept.workspace() / ".git/hooks/pre-commit"));
    EXPECT_FALSE(fs::exists(kept.workspace() / ".git/hooks/evil"));
    EXPECT_GE(result.told("open", kept.workspace() / ".mcp.json", EACCES), 2u) << result.text();
}

}  // namespace
}  // namespace reeve::test
