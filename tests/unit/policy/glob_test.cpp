// What patterns mean, by example. The slow matcher is the yardstick of the automaton's tests, and these are
// the yardstick of the slow matcher.
#include "policy/glob.hpp"

#include <gtest/gtest.h>

#include <algorithm>

#include "policy/engine.hpp"

namespace reeve::policy {
namespace {

const Variables kBob{
    .home = "/home/bob", .workspace = "/w[1]/{a}*", .user = "b?b", .session = "s", .tmp = "/tmp"};

bool matches(const char* pattern, std::string_view path) {
    const auto sequences = glob::expand(pattern, kBob);
    if (!sequences) {
        ADD_FAILURE() << pattern << ": " << sequences.error();
        return false;
    }
    return std::ranges::any_of(*sequences, [&](const auto& sequence) { return sequence.matches(path); });
}

struct Case {
    const char* pattern;
    std::vector<std::string> yes, no;
};

TEST(Glob, MeansWhatIsWritten) {
    const Case cases[] = {
        {"/", {"/"}, {"/a", ""}},
        {"/a/b", {"/a/b"}, {"/a", "/a/b/c", "/a/bb", "/A/b", "/a/b/"}},
        {"/a/*", {"/a/b", "/a/.b", "/a/*"}, {"/a", "/a/", "/a/b/c"}},
        {"/*", {"/a"}, {"/", "/a/b"}},
        {"/a/*.c", {"/a/x.c", "/a/.c", "/a/.x.c"}, {"/a/x.cc", "/a/b/x.c"}},
        {"/a/x*y*z", {"/a/xyz", "/a/x12y3z", "/a/xyyz"}, {"/a/xzy", "/a/x/yz"}},
        {"/a/?", {"/a/b", "/a/."}, {"/a/", "/a/bb", "/a//"}},
        {"/a/?\?", {"/a/bb", "/a/\xC3\xA9"}, {"/a/b"}},  // bytes, not characters
        {"/a/[a-c]", {"/a/a", "/a/c"}, {"/a/d", "/a/A", "/a/ab"}},
        {"/a/[!a-c]", {"/a/d", "/a/\xFF"}, {"/a/a", "/a//", "/a/dd"}},
        {"/a/[a-]", {"/a/a", "/a/-"}, {"/a/b"}},
        {"/a/[*?{]", {"/a/*", "/a/?", "/a/{"}, {"/a/b"}},
        {"/a/{b,c}", {"/a/b", "/a/c"}, {"/a/d", "/a/{b,c}", "/a/bc"}},
        {"/a/{b,c{d,e}}/f", {"/a/b/f", "/a/cd/f", "/a/ce/f"}, {"/a/c/f", "/a/bd/f"}},
        {"/a{,/b}", {"/a", "/a/b"}, {"/a/c"}},
        {"/a/{,b}", {"/a", "/a/b"}, {"/a/"}},
        {"{/a,**/b}", {"/a", "/b", "/x/b"}, {"/x/a"}},
        {"/a,b", {"/a,b"}, {"/a"}},
        {"/a/{x,*}*", {"/a/y", "/a/x"}, {"/a/x/y", "/a"}},  // stars that only braces bring together
        {"/**", {"/", "/a", "/a/b", "/.a/.b"}, {}},
        {"**", {"/", "/a", "/a/b"}, {}},
        {"/a/**", {"/a", "/a/b", "/a/b/c", "/a/.b"}, {"/ab", "/", "/b/a", "/a.b"}},
        {"/a/**/b", {"/a/b", "/a/x/b", "/a/x/.y/b"}, {"/a", "/a/b/c", "/a/xb", "/ab", "/b"}},
        {"/a/**/**/b", {"/a/b", "/a/x/b"}, {"/a"}},
        {"**/b", {"/b", "/a/b", "/a/c/b"}, {"/", "/ab", "/b/c"}},
        {"**/b/**", {"/b", "/a/b", "/a/b/c", "/b/b"}, {"/", "/ab", "/bc/d"}},
        {"/**/.git/hooks/*", {"/.git/hooks/x", "/r/.git/hooks/x"}, {"/.git/hooks", "/r/.git/hooks/x/y"}},
        {"**/*.c", {"/.c", "/a/x.c"}, {"/a/x.c/d"}},
        {"**/?x", {"/ax", "/b/ax"}, {"/x", "/aax", "/b/aax"}},
        {"**/*", {"/a", "/a/b"}, {"/"}},
        {"/a**b", {"/ab", "/a/b", "/axx/yyb", "/axb"}, {"/a/bc", "/b"}},
        {"**.env", {"/.env", "/a/x.env", "/a/.env"}, {"/.env/a"}},
        {"/a/***/b", {"/a/b", "/a/x/b"}, {"/a"}},
    };
    for (const auto& [pattern, yes, no] : cases) {
        for (const auto& path : yes) {
            EXPECT_TRUE(matches(pattern, path)) << pattern << " on " << path;
        }
        for (const auto& path : no) {
            EXPECT_FALSE(matches(pattern, path)) << pattern << " on " << path;
        }
    }
}

TEST(Glob, ValuesOfVariablesAreLiteral) {
    EXPECT_TRUE(matches("${home}/x", "/home/bob/x"));
    EXPECT_TRUE(matches("${workspace}/**", "/w[1]/{a}*/x"));
    EXPECT_FALSE(matches("${workspace}/**", "/w1/a/x"));
    EXPECT_TRUE(matches("/h/${user}", "/h/b?b"));
    EXPECT_FALSE(matches("/h/${user}", "/h/bob"));
    EXPECT_TRUE(matches("{${home},/x}/.ssh", "/home/bob/.ssh"));
    EXPECT_TRUE(matches("/a/[$]{b}", "/a/$b"));
}

TEST(Glob, AHomeThatIsTheRootLeavesNoDoubleSlash) {
    const auto sequences =
        glob::expand("${home}/**", {.home = "/", .workspace = {}, .user = {}, .session = {}, .tmp = {}});
    ASSERT_TRUE(sequences);
    EXPECT_TRUE(sequences->front().matches("/a"));
}

TEST(Glob, SaysWhatIsWrong) {
    const std::pair<const char*, const char*> cases[] = {
        {"/a/[", "without a ']'"},   {"/a/[]", "empty '[]'"},      {"/a/[b-a]", "ends before it begins"},
        {"/a/{b", "without a '}'"},  {"/a/b}", "without a '{'"},   {"/a/${b", "without a '}'"},
        {"/a/${nobody}", "unknown"}, {"a/b", "has to begin with"}, {"*/b", "has to begin with"},
        {"${user}/b", "begin with"}, {"{/a,b}", "begin with"},     {"", "begin with"},
        {"/[/]", "that no byte"},
    };
    for (const auto& [pattern, why] : cases) {
        const auto sequences = glob::expand(pattern, kBob);
        ASSERT_FALSE(sequences) << pattern;
        EXPECT_NE(sequences.error().find(why), std::string::npos) << pattern << ": " << sequences.error();
    }
    const auto no_value = glob::expand("${tmp}/x", {});
    ASSERT_FALSE(no_value);
    EXPECT_EQ(no_value.error(), "${tmp} has no value here");
}

TEST(Glob, BracesAreBounded) {
    std::string ten = "/";
    for (int i = 0; i < 10; ++i) ten += "{a,b}";
    EXPECT_EQ(glob::expand(ten, {}).value().size(), 1024U);
    EXPECT_FALSE(glob::expand(ten + "{a,b}", {}));
    std::string deep = "/";
    for (int i = 0; i < 3000; ++i) deep += '{';
    for (int i = 0; i < 3000; ++i) deep += '}';
    EXPECT_FALSE(glob::expand(deep, {}));
    // Few alternatives, each of them long.
    std::string long_ones = "/{a,b}{a,b}{a,b}{a,b}{a,b}{a,b}{a,b}{a,b}" + std::string(4000, 'x');
    EXPECT_FALSE(glob::expand(long_ones, {}));
    EXPECT_EQ(glob::expand("/{a,a,a}", {}).value().size(), 1U);
}

TEST(Glob, KnowsWhatCanMatchBelow) {
    const auto can = [](const char* pattern, std::string_view path) {
        const auto sequences = glob::expand(pattern, kBob);
        return std::ranges::any_of(sequences.value(),
                                   [&](const auto& sequence) { return sequence.can_match_below(path); });
    };
    EXPECT_TRUE(can("/a/b", "/a"));
    EXPECT_TRUE(can("/a/b", "/"));
    EXPECT_FALSE(can("/a/b", "/a/b"));
    EXPECT_FALSE(can("/a/b", "/b"));
    EXPECT_TRUE(can("/a/*/c", "/a/x"));
    EXPECT_FALSE(can("/a/*/c", "/a/x/c"));
    EXPECT_TRUE(can("/a/**", "/a"));
    EXPECT_TRUE(can("/a/**", "/a/b/c"));
    EXPECT_FALSE(can("/a/**", "/b"));
    EXPECT_TRUE(can("**/x", "/any/where"));
    EXPECT_TRUE(can("/a/**/x", "/a/b"));
    EXPECT_FALSE(can("/a/**/x", "/b"));
    EXPECT_TRUE(can("/a**x", "/ab/c"));
}

TEST(Glob, ShapesAreWhatMountsCanUse) {
    const auto shape = [](const char* pattern) {
        return glob::shape_of(glob::expand(pattern, kBob).value().front());
    };
    EXPECT_TRUE(shape("/a/b").literal);
    EXPECT_EQ(shape("/a/b").prefix, "/a/b");
    EXPECT_TRUE(shape("/a/b/**").tree);
    EXPECT_EQ(shape("/a/b/**").prefix, "/a/b");
    EXPECT_TRUE(shape("**").tree);
    EXPECT_EQ(shape("**").prefix, "/");
    EXPECT_EQ(shape("/").prefix, "/");
    EXPECT_FALSE(shape("/a/b*/**").tree);
    EXPECT_EQ(shape("/a/b*/**").prefix, "/a/b");
    EXPECT_FALSE(shape("/a/**/b").tree);
    EXPECT_FALSE(shape("/a/b*").literal);
}

}  // namespace
}  // namespace reeve::policy
