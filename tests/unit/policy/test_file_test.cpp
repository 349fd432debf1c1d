// Test files for `reeve policy test`.
#include "policy/test_file.hpp"

#include <gtest/gtest.h>

#include <map>

namespace reeve::policy {
namespace {

using Files = std::map<std::string, std::string>;

auto run(const std::string& text, const Files& files) {
    return run_test_file(text, "t.jsonc",
                         [&](const std::string& name) -> std::expected<std::string, std::string> {
                             const auto found = files.find(name);
                             if (found == files.end()) return std::unexpected("no such file");
                             return found->second;
                         });
}
std::string faults(const std::string& text, const Files& files) {
    const auto results = run(text, files);
    return results ? "" : to_string(results.error());
}

const Files kFiles{
    {"v.jsonc", R"({"schema": "reeve.policy/1", "id": "vendor", "agents": {"a": {"executables": ["/a"]}},
        "files": [{"allow": ["read"], "paths": ["${home}/**"], "reason": "own"}, {"deny": ["read"], "paths": ["${home}/x"], "agents": ["a"]}],
        "network": [{"allow": {"hosts": ["pypi.org"], "ports": [443]}}, {"deny": {"addresses": ["private"]}}]})"},
    {"o.jsonc",
     R"({"schema": "reeve.policy/1", "id": "acme", "files": [{"allow": ["read"], "paths": ["/o"]}]})"},
    {"bad.jsonc", R"({"schema": "reeve.policy/1", "id": "acme", "fiels": []})"},
};

std::string test(const std::string& members, const std::string& accesses) {
    return R"({"schema": "reeve.policy-test/1", "variables": {"home": "/home/a"}, )" + members +
           ", \"accesses\": [" + accesses + "]}";
}

TEST(TestFile, GivesAResultForEachAccess) {
    const auto results = run(test(R"("agent": "a", "layers": ["v.jsonc"])", R"(
        {"action": "read", "path": "/home/a/y", "expect": "allow", "rule": "vendor/files/0"},
        {"action": "read", "path": "/home/a/x", "expect": "allow"},
        {"action": "read", "path": "/home/a/y", "expect": "allow", "rule": "vendor/files/1"},
        {"action": "connect", "host": "pypi.org", "port": 443, "expect": "allow"},
        {"action": "connect", "host": "pypi.org", "port": 443, "address": "10.0.0.1", "expect": "deny"})"),
                             kFiles);
    ASSERT_TRUE(results) << to_string(results.error());
    ASSERT_EQ(results->size(), 5U);
    EXPECT_TRUE((*results)[0].passed);
    EXPECT_EQ((*results)[0].reason, "own");
    EXPECT_EQ((*results)[0].at.line, 2U);
    EXPECT_FALSE((*results)[1].passed);
    EXPECT_EQ((*results)[1].actual, Verdict::deny);
    EXPECT_EQ((*results)[1].actual_rule, "vendor/files/1");
    EXPECT_FALSE((*results)[2].passed) << "the verdict is right, the rule is not";
    EXPECT_TRUE((*results)[3].passed);
    EXPECT_EQ((*results)[3].resource, "pypi.org:443");
    EXPECT_TRUE((*results)[4].passed);
}

TEST(TestFile, ALayerIsTheVendorsByItsIdOrWhatIsSaid) {
    // The organisation's layer is the base then, and the vendor's allows nothing.
    const std::string access =
        R"({"action": "read", "path": "/home/a/y", "expect": "deny"}, {"action": "read", "path": "/o", "expect": "allow"})";
    for (
        const char* layers :
        {R"("layers": ["v.jsonc", "o.jsonc"])",
         R"("layers": [{"authority": "vendor", "file": "v.jsonc"}, {"authority": "organisation", "file": "o.jsonc"}])"}) {
        const auto results = run(test(layers, access), kFiles);
        ASSERT_TRUE(results) << to_string(results.error());
        EXPECT_TRUE((*results)[0].passed);
        EXPECT_TRUE((*results)[1].passed);
    }
    const auto user =
        run(test(R"("layers": ["v.jsonc", {"authority": "user", "file": "o.jsonc"}])", access), kFiles);
    ASSERT_TRUE(user);
    EXPECT_FALSE((*user)[1].passed);
}

TEST(TestFile, SaysWhatIsWrong) {
    const std::string good = R"({"action": "read", "path": "/o", "expect": "allow"})";
    const auto with = [&](const std::string& access) {
        return faults(test(R"("layers": ["o.jsonc"])", access), kFiles);
    };
    EXPECT_EQ(with(good), "");
    EXPECT_NE(with(R"({"action": "raed", "path": "/o", "expect": "allow"})").find("did you mean \"read\"?"),
              std::string::npos);
    EXPECT_NE(with(R"({"action": "read", "path": "/o", "expect": "alow"})").find("\"allow\""),
              std::string::npos);
    EXPECT_NE(with(R"({"action": "read", "expect": "allow"})").find("needs the key \"path\""),
              std::string::npos);
    EXPECT_NE(with(R"({"action": "connect", "host": "a", "expect": "allow"})").find("needs the key \"port\""),
              std::string::npos);
    EXPECT_NE(with(R"({"action": "connect", "host": "a", "port": 70000, "expect": "deny"})").find("65535"),
              std::string::npos);
    EXPECT_NE(with(R"({"action": "connect", "host": "a", "port": 1, "address": "1.2.3", "expect": "deny"})")
                  .find("not an IP address"),
              std::string::npos);
    EXPECT_NE(with(R"({"action": "connect", "host": "a", "port": 1, "path": "/a", "expect": "deny"})")
                  .find("\"path\" stands in"),
              std::string::npos);
    EXPECT_NE(faults("{", kFiles), "");
    EXPECT_NE(
        faults(R"({"schema": "reeve.policy/1", "layers": ["o.jsonc"], "accesses": [)" + good + "]}", kFiles),
        "");
    EXPECT_NE(faults(test(R"("layers": ["none.jsonc"])", good), kFiles)
                  .find("t.jsonc:1:80: cannot read the layer \"none.jsonc\": no such file"),
              std::string::npos)
        << faults(test(R"("layers": ["none.jsonc"])", good), kFiles);
    EXPECT_NE(faults(test(R"("layers": ["bad.jsonc"])", good), kFiles)
                  .find("bad.jsonc:1:44: unknown key \"fiels\""),
              std::string::npos);
    EXPECT_NE(
        faults(R"({"schema": "reeve.policy-test/1", "layers": ["v.jsonc"], "accesses": [)" + good + "]}",
               kFiles)
            .find("${home} has no value"),
        std::string::npos);
}

}  // namespace
}  // namespace reeve::policy
