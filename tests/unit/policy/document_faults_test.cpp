// What is wrong with documents: each fault is said, with what was expected and what to do.
#include <gmock/gmock.h>

#include <algorithm>
#include <set>

#include "tests/unit/policy/parse.hpp"

namespace reeve::policy {
namespace {

using testing::HasSubstr;

struct Case {
    std::string members, message;  // message: a part of what is said
};
void expect_all(const std::vector<Case>& cases) {
    for (const auto& [members, message] : cases) {
        EXPECT_THAT(faults_with(members), HasSubstr(message)) << members;
    }
}
Case file_rule(const std::string& members, std::string message) {
    return {R"("files": [{)" + members + "}]", std::move(message)};
}
Case agent(const std::string& members, std::string message) {
    return {R"("agents": {"a": {)" + members + "}}", std::move(message)};
}

TEST(DocumentFaults, AllAreNamedInOneGo) {
    EXPECT_EQ(
        faults("{\"schema\": \"reeve.policy/1\",\n"
               " \"versoin\": 2,\n"
               " \"files\": [{\"allow\": [\"raed\"], \"paths\": [\"~/x\", \"${hom}/y\"]},\n"
               "           {\"paths\": [\"/x\"]}],\n"
               " \"limits\": {\"memory\": 4, \"processes\": \"many\"}}"),
        "f:1:1: a policy needs the key \"id\"\n"
        "f:2:2: unknown key \"versoin\" in a policy; did you mean \"version\"?\n"
        "f:3:23: unknown file action \"raed\"; did you mean \"read\"?\n"
        "f:3:42: the pattern \"~/x\": a path pattern starts with / or ** or a variable; the home is ${home}\n"
        "f:3:49: the pattern \"${hom}/y\": unknown variable \"${hom}\"; known here: ${home}, ${workspace}, "
        "${user}, ${session}, ${tmp}\n"
        "f:4:12: this rule decides nothing; it needs one of \"allow\", \"ask\", \"deny\"\n"
        "f:5:23: \"memory\": expected a size such as \"4G\", found a number\n"
        "f:5:39: \"processes\": expected a whole number from 1 to 4194304, found a text");
}

// Each key of each kind of object is one that the parser looks at: a wrong value is noticed.
TEST(DocumentFaults, EveryKnownKeyIsRead) {
    const std::map<std::string, std::pair<std::string, std::string>> around{
        {"document", {"", ""}},
        {"agent", {R"("agents": {"a": {)", "}}"}},
        {"trust", {R"("agents": {"a": {"executables": ["/x"], "trust": {)", "}}}"}},
        {"anchor", {R"("agents": {"a": {"executables": ["/x"], "trust": {"any": [{)", "}]}}}"}},
        {"file_rule", {R"("files": [{)", "}]"}},
        {"network_rule", {R"("network": [{)", "}]"}},
        {"network_target", {R"("network": [{"deny": {)", "}}]"}},
        {"dlp_rule", {R"("dlp": [{)", "}]"}},
        {"dlp_when", {R"("dlp": [{"deny": {"hosts": ["**"]}, "when": {)", "}}]"}},
        {"dlp_target", {R"("dlp": [{"deny": {)", "}}]"}},
        {"posture", {R"("posture": {)", "}"}},
        {"broker", {R"("brokers": {"b": {)", "}}"}},
        {"consent", {R"("consent": {)", "}"}},
        {"limits", {R"("limits": {)", "}"}},
        {"audit", {R"("audit": {)", "}"}},
        {"rollout", {R"("rollout": {)", "}"}}};
    const auto all = known_keys();
    EXPECT_EQ(all.size(), around.size());
    for (const auto& [kind, keys] : all) {
        ASSERT_TRUE(around.contains(kind)) << kind;
        for (const auto& key : keys) {
            if (kind == "document" && (key == "schema" || key == "id")) continue;
            const auto text = around.at(kind).first + '"' + key + "\": null" + around.at(kind).second;
            EXPECT_THAT(faults_with(text), HasSubstr("found null")) << kind << ": " << key;
        }
        const auto text = around.at(kind).first + R"("nosuch": 1)" + around.at(kind).second;
        EXPECT_THAT(faults_with(text), HasSubstr("unknown key \"nosuch\"")) << kind;
    }
}

TEST(DocumentFaults, Header) {
    expect_all({
        {R"("version": 0)", "expected a whole number from 1 to 9007199254740991, found \"0\""},
        {R"("version": 1.5)", "expected a whole number"},
        {R"("version": -1)", "expected a whole number"},
        {R"("version": 99999999999999999999)", "expected a whole number"},
        {R"("version": "1")",
         "\"version\": expected a whole number from 1 to 9007199254740991, found a text"},
        {R"("mode": "enforced")", "\"enforced\" is not known here; did you mean \"enforce\"?"},
        {R"("mode": true)", "expected \"enforce\" or \"observe\", found true or false"},
        {R"("unenforceable": "ignore")", "known here: refuse, degrade"},
        {R"("extends": "vendor")", "\"extends\": expected a list in [ ], found a text"},
        {R"("extends": ["acme"])", "\"acme\" cannot extend itself"},
        {R"("extends": ["a/b"])", "\"a/b\" cannot be a document's id"},
        {R"("extends": ["a", "a"])", "\"a\" is in this list twice"},
        {R"("expires": "tomorrow")", "\"tomorrow\" is not a time; write it as RFC 3339 does"},
        {R"("expires": 1798761600)", "expected a time such as"},
    });
    for (const auto* id : {"", "a b", "a/b", "a@1", "-a", "ä", "\\u001b[31m"}) {
        EXPECT_THAT(faults(R"({"schema": "reeve.policy/1", "id": ")" + std::string(id) + "\"}"),
                    HasSubstr("cannot be a document's id"))
            << id;
    }
}

TEST(DocumentFaults, FileRules) {
    expect_all({
        {R"("files": {})", "\"files\": expected a list in [ ], found an object"},
        {R"("files": ["x"])", "expected a file rule in { }, found a text"},
        file_rule(R"("allow": ["read"])", "a file rule needs the key \"paths\""),
        file_rule(R"("allow": ["read"], "paths": [])",
                  "\"paths\" is empty; leave the key out, or name something"),
        file_rule(R"("allow": [], "paths": ["/x"])", "\"allow\" is empty"),
        file_rule(R"("allow": "read", "paths": ["/x"])", "\"allow\": expected a list in [ ], found a text"),
        file_rule(R"("allow": ["read"], "deny": ["write"], "paths": ["/x"])",
                  "this rule has both \"allow\" and \"deny\"; make two rules of it"),
        file_rule(R"("allow": ["read", "read"], "paths": ["/x"])", "\"read\" is in this list twice"),
        file_rule(R"("allow": ["remove"], "paths": ["/x"])", "unknown file action \"remove\""),
        file_rule(R"("allow": ["read"], "path": ["/x"])",
                  "unknown key \"path\" in a file rule; did you mean \"paths\"?"),
        file_rule(R"("allow": ["read"], "paths": ["/x", "/x"])", "\"/x\" is in this list twice"),
        file_rule(R"("allow": ["read"], "paths": ["/x"], "agents": [])", "\"agents\" is empty"),
        file_rule(R"("allow": ["read"], "paths": ["/x"], "agents": ["a b"])", "cannot be an agent's id"),
        file_rule(R"("deny": ["read"], "paths": ["/x"], "log": ["opens"])",
                  "\"log\" stands in a rule that does not allow"),
        file_rule(R"("ask": ["read"], "paths": ["/x"], "hidden": true)",
                  "\"hidden\" stands in a rule that does not deny"),
        file_rule(R"("allow": ["read"], "paths": ["/x"], "canary": false)",
                  "\"canary\" stands in a rule that does not deny"),
        file_rule(R"("deny": ["read"], "paths": ["/x"], "hidden": 1)",
                  "\"hidden\": expected true or false, found a number"),
        file_rule(R"("deny": ["read"], "paths": ["/x"], "hidden": true, "canary": true)",
                  "a canary that is hidden"),
        file_rule(R"("deny": ["read"], "paths": ["/x", "/y/*"], "canary": true)",
                  "\"/y/*\" of a canary is not one path; name the file"),
        file_rule(R"("deny": ["read"], "paths": ["/x/**"], "canary": true)", "is not one path"),
        file_rule(R"("deny": ["read"], "paths": ["/x"], "except": ["/x"], "canary": true)",
                  "\"except\" stands in a rule of canaries"),
        file_rule(R"("allow": ["read"], "paths": ["/x"], "log": ["open"])", "did you mean \"opens\"?"),
        file_rule(R"("allow": ["read"], "paths": ["/x"], "log": ["write"])", "did you mean \"writes\"?"),
        file_rule(R"("allow": ["read"], "paths": ["/x"], "reason": "")", "this text is empty"),
        file_rule(R"("allow": ["read"], "paths": ["/x"], "reason": "a\u001b[2J")",
                  "control characters cannot stand in"),
        file_rule(R"("allow": ["read"], "paths": ["/x"], "label": "a b")", "cannot be a label"),
        file_rule(R"("allow": ["read"], "paths": ["/x"], "id": "acme/files/0")",
                  "has the form of those that rules without an id get"),
        file_rule(
            R"("allow": ["read"], "paths": ["/x"], "id": "x"}, {"allow": ["read"], "paths": ["/y"], "id": "x")",
            "another rule has the id \"x\" already; that one is in line 1"),
    });
    EXPECT_EQ(parsed_with(R"("files": [{"allow": ["read"], "paths": ["/x"], "log": []}])").files.at(0).log,
              0U);
    EXPECT_EQ(faults_with(R"("files": [{"deny": ["read"], "paths": ["/x"], "id": "files/secret/0x"}])"), "");
}

TEST(DocumentFaults, RuleIdsAreUniqueAcrossSections) {
    EXPECT_THAT(faults_with(R"("files": [{"deny": ["read"], "paths": ["/x"], "id": "x"}],
                               "network": [{"deny": {"hosts": ["**"]}, "id": "x"}])"),
                HasSubstr("another rule has the id \"x\" already; that one is in line 1"));
}

TEST(DocumentFaults, Agents) {
    expect_all({
        {R"("agents": [])", "expected an object with an agent under each id, found a list"},
        {R"("agents": {"a": []})", "expected an agent in { }, found a list"},
        {R"("agents": {"a b": {}})", "\"a b\" cannot be an agent's id"},
        {R"("agents": {"unverified": {"executables": ["/x"]}})", "\"unverified\" cannot be defined"},
        agent("", "this agent says nothing"),
        agent(R"("executables": [])", "\"executables\" is empty"),
        agent(R"("executables": ["${workspace}/x"])", "${workspace} has no value before the session starts"),
        agent(R"("executables": ["/x"], "workspaces": ["${workspace}/x"])",
              "has no value before the session"),
        agent(R"("executables": ["/x"], "workspaces": [])", "\"workspaces\" is empty"),
        agent(R"("executables": ["/x"], "trust": [])", "\"trust\": expected a trust in { }, found a list"),
        agent(R"("executables": ["/x"], "trust": {})", "this trust anchor is empty; it needs one of"),
        agent(R"("executables": ["/x"], "trust": {"any": []})", "\"any\" is empty"),
        agent(R"("executables": ["/x"], "trust": {"any": [{}]})", "this trust anchor is empty"),
        agent(R"("executables": ["/x"], "trust": {"any": [{"package": "p"}], "package": "p"})",
              "\"any\" stands beside other keys"),
        agent(R"("executables": ["/x"], "trust": {"package": "p", "signer": "s"})",
              "this trust anchor asks for several things at once"),
        agent(R"("executables": ["/x"], "trust": {"package": "p v1"})", "cannot be the name of a package"),
        agent(R"("executables": ["/x"], "trust": {"package": "--root=/"})",
              "cannot be the name of a package"),
        agent(R"("executables": ["/x"], "trust": {"sha256": ["9f86"]})", "\"9f86\" is not a SHA-256"),
        agent(R"("executables": ["/x"], "trust": {"sha256": "9f86"})",
              "expected a list in [ ], found a text"),
        agent(R"("executables": ["/x"], "environment": ["*"])", "would hand through every variable"),
        agent(R"("executables": ["/x"], "environment": ["A=B"])",
              "cannot be the name of an environment variable"),
        agent(R"("executables": ["/x"], "environment": ["1A"])",
              "cannot be the name of an environment variable"),
        agent(R"("executables": ["/x"], "environment": ["A*B"])",
              "cannot be the name of an environment variable"),
    });
}

TEST(DocumentFaults, ABareAnchorIsTrustToo) {
    const auto trust =
        parsed_with(R"("agents": {"a": {"executables": ["/x"], "trust": {"signer": "c.pem"}}})")
            .agents.at("a")
            .trust;
    ASSERT_EQ(trust.size(), 1U);
    EXPECT_EQ(trust[0].signer, "c.pem");
}

TEST(DocumentFaults, Settings) {
    expect_all({
        {R"("posture": {"require": ["disk"]})", "\"disk\" cannot be the name of a check"},
        {R"("posture": {"require": ["Disk.x"]})", "cannot be the name of a check"},
        {R"("posture": {"on_fail": "end_session"})", "did you mean \"end-session\"?"},
        {R"("brokers": [])", "expected an object with a broker under each name"},
        {R"("brokers": {"a b": {}})", "cannot be a broker's name"},
        {R"("brokers": {"b": {"token_endpoint": "https://b.example/t"}})", "endpoints and no \"audience\""},
        {R"("brokers": {"b": {"audience": "b.example"}})", "is not an https address"},
        {R"("brokers": {"b": {"audience": "http://b.example"}})", "would send tokens without encryption"},
        {R"("brokers": {"b": {"audience": "http://localhost.evil.example"}})", "without encryption"},
        {R"("brokers": {"b": {"audience": "http://127.0.0.1@evil.example"}})",
         "is not an address of a server"},
        {R"("brokers": {"b": {"audience": "https:///x"}})", "is not an address of a server"},
        {R"("brokers": {"b": {"audience": "https://b.example/#f"}})", "has a fragment"},
        {R"("brokers": {"b": {"audience": "https://b.example/ x"}})", "is not an address of a server"},
        {R"("brokers": {"b": {"resources": ["s3://${user}/x"]}})", "variables have no meaning here"},
        {R"("brokers": {"b": {"resources": [""]}})", "an empty pattern"},
        {R"("consent": {"max_pending": 0})", "expected a whole number from 1 to 10000"},
        {R"("consent": {"lifespans": []})", "\"lifespans\" is empty"},
        {R"("consent": {"lifespans": ["forever"]})", "known here: once, time, session, always"},
        {R"("consent": {"scripted": "yes"})", "expected true or false, found a text"},
        {R"("limits": {"processes": 0})", "expected a whole number from 1"},
        {R"("audit": {"on_full": "stop"})", "known here: end-session, keep-going"},
        {R"("audit": {"sinks": ["sylog"]})", "did you mean \"syslog\"?"},
        {R"("rollout": {})", "this rollout names no devices"},
        {R"("rollout": {"share": 101})", "expected a share in percent, from 0 to 100, found \"101\""},
        {R"("rollout": {"share": "10%"})", "expected a share in percent"},
        {R"("rollout": {"groups": []})", "\"groups\" is empty"},
    });
    EXPECT_EQ(faults_with(R"("brokers": {"b": {"audience": "http://localhost:8080/x", "challenge_endpoint":
                             "http://[::1]:99/c", "token_endpoint": "http://127.0.0.1"}, "c": {"max_ttl": "1m"}})"),
              "");
}

TEST(DocumentFaults, DurationsSizesAndTimes) {
    using namespace std::chrono_literals;
    const auto timeout = [](const std::string& text) {
        return parsed_with(R"("consent": {"timeout": ")" + text + "\"}").consent.timeout;
    };
    EXPECT_EQ(timeout("90s"), 90s);
    EXPECT_EQ(timeout("12h"), 12h);
    EXPECT_EQ(timeout("2w"), 14 * 24h);
    for (const auto* text : {"", "5", "m", "0m", "5 m", "5min", "-5m", "5M", "1h30m", "1.5h", "40000d",
                             "99999999999999999999s", "+5m"}) {
        EXPECT_THAT(faults_with(R"("consent": {"timeout": ")" + std::string(text) + "\"}"),
                    HasSubstr("is not a duration; write a number and one of s, m, h, d, w"))
            << text;
    }
    const auto memory = [](const std::string& text) {
        return parsed_with(R"("limits": {"memory": ")" + text + "\"}").limits.memory;
    };
    EXPECT_EQ(memory("1000"), 1000U);
    EXPECT_EQ(memory("8192T"), 1ULL << 53);
    for (const auto* text :
         {"", "0", "0G", "4g", "4GB", "4.5G", "8193T", "G", "-1G", "99999999999999999999"}) {
        EXPECT_THAT(faults_with(R"("limits": {"memory": ")" + std::string(text) + "\"}"),
                    HasSubstr("is not a size"))
            << text;
    }
    const auto expires = [](const std::string& text) {
        return parsed_with(R"("expires": ")" + text + "\"").expires;
    };
    EXPECT_EQ(expires("1970-01-01T00:00:00Z"), 0);
    EXPECT_EQ(expires("2024-02-29t12:00:00.123456789z"), 1'709'208'000);
    EXPECT_EQ(expires("2027-01-01T02:00:00+02:00"), 1'798'761'600);
    EXPECT_EQ(expires("2026-12-31T18:30:00-05:30"), 1'798'761'600);
    EXPECT_EQ(expires("2016-12-31T23:59:60Z"), 1'483'228'800);
    for (const auto* text :
         {"", "2027-01-01", "2027-01-01T00:00:00", "2027-13-01T00:00:00Z", "2027-02-29T00:00:00Z",
          "2027-01-01T24:00:00Z", "2027-01-01T00:60:00Z", "2027-01-01T00:00:61Z", "2027-01-01T00:00:00.Z",
          "2027-01-01T00:00:00+2:00", "2027-01-01T00:00:00+24:00", "2027-01-01T00:00:00Zx",
          "2027-01-01 00:00:00Z", "27-01-01T00:00:00Z", "2027-01-01T00:00:00+02:00x"}) {
        EXPECT_THAT(faults_with(R"("expires": ")" + std::string(text) + "\""), HasSubstr("is not a time"))
            << text;
    }
}

TEST(DocumentFaults, ListsHaveBounds) {
    std::string paths, rules;
    for (std::size_t i = 0; i <= kMaxPatterns; ++i)
        paths += (i == 0 ? "\"/" : ",\"/") + std::to_string(i) + '"';
    EXPECT_THAT(faults_with(R"("files": [{"deny": ["read"], "paths": [)" + paths + "]}]"),
                HasSubstr("\"paths\" has 4097 entries, more than 4096"));
    for (std::size_t i = 0; i <= kMaxRules; ++i) rules += i == 0 ? "{}" : ",{}";
    EXPECT_THAT(faults_with("\"files\": [" + rules + "]"),
                HasSubstr("\"files\" has 20001 entries, more than 20000"));
    EXPECT_THAT(faults_with("\"files\": [" + rules.substr(0, 2 + 3 * 1000) + "]"),
                HasSubstr("there is more to say than is shown here"));
    EXPECT_THAT(faults(std::string(kMaxDocumentBytes + 1, ' ')), HasSubstr("more than 1048576"));
    EXPECT_THAT(faults_with("\"files\": " + std::string(40, '[')),
                HasSubstr("nested more than 32 levels deep"));
}

// As large as may be, of shapes that a careless reader takes minutes for: then the test's own deadline ends it.
TEST(DocumentFaults, LargeDocumentsAreReadInTime) {
    const auto repeated = [](std::string_view part, std::size_t bytes) {
        std::string all;
        while (all.size() + part.size() < bytes) all += (all.empty() ? "" : ",") + std::string(part);
        return all;
    };
    const auto except = repeated("\"a.b\"", 20'000);
    const std::vector<std::string> large{
        "\"network\": [" + repeated(R"({"ask": {"hosts": ["**"], "except": [)" + except + "]}}", 400'000) +
            "," + repeated(R"({"allow": {"hosts": ["c.d"]}})", 600'000) + "]",
        "\"files\": [{\"deny\": [\"read\"], \"paths\": [" +
            repeated("\"" + std::string(2000, '{') + std::string(2000, '}') + "\"", 1'000'000) + "]}]",
        "\"limits\": {" + repeated("\"procesess\": 1", 1'000'000) + "}",
        "\"files\": [{\"deny\": [" + repeated("\"raed\"", 1'000'000) + "]}]",
        "\"extends\": [" + repeated("[]", 1'000'000) + "]",
    };
    for (const auto& members : large) (void)parse_document(document_with(members), "f");
}

TEST(DocumentFaults, FaultsAreSafeToShow) {
    const auto said =
        faults_with(R"("\u001b]0;owned\u0007": 1, "mode": "\u202egnp", "files": [{"deny": ["\u009b"],
                                    "paths": ["/a\u001b", "/${\u001b}", "x\u202e"]}], "network": [{"deny": {"hosts": ["\u0007"]}}])");
    EXPECT_EQ(
        std::ranges::count_if(said, [](char c) { return static_cast<unsigned char>(c) < 0x20 && c != '\n'; }),
        0);
    EXPECT_EQ(said.find("\u202e"), std::string::npos);
    EXPECT_EQ(said.find("\u009b"), std::string::npos);
}

}  // namespace
}  // namespace reeve::policy
