// The syntax of path patterns in documents; what is let through is what policy/glob.hpp understands.
#include <gmock/gmock.h>

#include "policy/document_reader.hpp"
#include "policy/glob.hpp"
#include "tests/unit/policy/parse.hpp"

namespace reeve::policy {
namespace {

using testing::HasSubstr;

const Variables kValues{"/home/alice", "/home/alice/w", "alice", "s1", "/tmp"};

std::string fault_of(std::string_view text, VariableSet variables = VariableSet::session) {
    const auto fault = check_path_pattern(text, variables);
    return fault ? fault->message + "; " + fault->hint : "";
}

TEST(Patterns, EveryFormIsKnown) {
    for (const auto* text : {"/",
                             "/**",
                             "**",
                             "**/.env",
                             "**.env",
                             "/usr/*",
                             "/usr/?in",
                             "/a/[a-z]",
                             "/a/[!a-z]x",
                             "/a/[a-]",
                             "/a/[-a]",
                             "/{a,b}/c",
                             "/{a,{b,c}}",
                             "/a{,.bak}",
                             "{/a,/b}/**",
                             "{${home},${tmp}}/x",
                             "{/a[,]b,/c}",
                             "${home}",
                             "${home}/x",
                             "${workspace}/**",
                             "${tmp}/${session}/${user}",
                             "/home/${user}/x",
                             "/a,b",
                             "/$x",
                             "/a b",
                             "/ä/é?",
                             "/[*]",
                             "/[[]",
                             "/a/[!!]",
                             "/...",
                             "/.x",
                             "/a..b"}) {
        EXPECT_EQ(fault_of(text), "") << text;
        EXPECT_TRUE(glob::expand(text, kValues)) << text;
    }
}

TEST(Patterns, FaultsAreNamed) {
    const std::pair<std::string_view, std::string_view> kBroken[] = {
        {"", "an empty pattern"},
        {"usr/bin", "a path pattern starts with / or ** or a variable; write \"**/usr/bin\" for it anywhere"},
        {"*.txt", "a path pattern starts with"},
        {"~/x", "the home is ${home}"},
        {"$HOME/x", "the home is ${home}"},
        {"${user}/x", "${user} is not a path"},
        {"${session}", "${session} is not a path"},
        {"{a,/b}", "a path pattern starts with"},
        {"{/a,}/b", "a path pattern starts with"},
        {"{/a,{/b,c}}", "a path pattern starts with"},
        {"/${hom}", "unknown variable \"${hom}\""},
        {"/${}", "unknown variable \"${}\""},
        {"/${home", "\"${\" without a \"}\""},
        {"/a/", "a slash at the end"},
        {"/a//b", "two slashes in a row"},
        {"/a/../b", "\"..\" never is in a resolved path"},
        {"/./b", "\".\" never is in a resolved path"},
        {"/a/..", "\"..\" never is in a resolved path"},
        {"/a***", "three stars"},
        {"/{a", "\"{\" without a \"}\""},
        {"/a}", "\"}\" without a \"{\""},
        {"/[a", "\"[\" without a \"]\""},
        {"/[]", "an empty \"[]\""},
        {"/[!]", "an empty \"[]\""},
        {"/[^a]", "\"[^\" is not known; write [!a-z]"},
        {"/[z-a]", "the range \"z-a\" is the wrong way round"},
        {"/[a/b]", "\"/\" cannot stand in [ ]"},
        {"/[ä]", "only ASCII characters can stand in [ ]"},
        {"/a\\*", "a backslash means nothing here; write [*] for a star"},
        {"/a\nb", "a control character"},
        {std::string_view("/a\0b", 4), "a control character"},
    };
    for (const auto& [text, message] : kBroken) EXPECT_THAT(fault_of(text), HasSubstr(message)) << text;
    EXPECT_THAT(fault_of("/" + std::string(kMaxPatternBytes, 'a')), HasSubstr("more than 4096 bytes"));
}

TEST(Patterns, BracesStandInOneAnotherSoDeepOnly) {
    EXPECT_EQ(fault_of("/" + std::string(16, '{') + "a" + std::string(16, '}')), "");
    EXPECT_THAT(fault_of("/" + std::string(17, '{') + "a" + std::string(17, '}')),
                HasSubstr("braces in more than 16 others"));
}

TEST(Patterns, ResourcesAreNoPaths) {
    EXPECT_FALSE(check_resource_pattern("s3://company-data/reports/**"));
    EXPECT_FALSE(check_resource_pattern("db:{a,b}/*"));
    EXPECT_TRUE(check_resource_pattern("s3://${home}"));
    EXPECT_TRUE(check_resource_pattern("[a"));
}

}  // namespace
}  // namespace reeve::policy
