// Whole documents: the model that comes out, and the header of a document.
#include "policy/document.hpp"

#include <gmock/gmock.h>

#include "tests/unit/policy/parse.hpp"

namespace reeve::policy {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using namespace std::chrono_literals;

// The example of FORMATS, with real values where that has an ellipsis.
constexpr std::string_view kExample = R"(// Acme's desktops
{
  "schema": "reeve.policy/1", "id": "acme-desktop", "version": 12, "extends": ["vendor"], "expires": "2027-01-01T00:00:00Z",
  "mode": "enforce",                                   // or "observe"
  "agents": {"cowork": {"executables": ["/opt/cowork/bin/*"],
                        "trust": {"any": [{"package": "cowork"},
                                          {"sha256": ["9F86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"]},
                                          {"signer": "certs/vendor.pem"}]},
                        "workspaces": ["${home}/Projects/**"], "state": ["${home}/.config/cowork/**"],
                        "environment": ["LANG", "LC_*"]}},
  "files": [
    {"allow": ["read", "execute"], "paths": ["/usr/**", "/etc/ssl/**"], "log": ["executions"]},
    {"allow": ["read", "write", "execute"], "paths": ["${workspace}/**"]},
    {"ask":   ["read", "write"], "paths": ["${home}/Documents/**"], "reason": "personal documents", "label": "personal"},
    {"deny":  ["write"], "paths": ["**/.git/hooks/**", "**/.mcp.json"], "except": ["**/.git/hooks/*.sample"], "agents": ["cowork"], "reason": "runs later, outside the sandbox"},
    {"deny":  ["read", "write"], "paths": ["${home}/.ssh/**", "**/.env"], "except": ["**/.env.example"], "id": "secrets"}],
  "network": [
    {"allow": {"hosts": ["API.anthropic.com.", "*.pypi.org"], "ports": [443]}},
    {"ask":   {"hosts": ["**"], "except": ["api.anthropic.com"], "ports": [80, "8000-8100"]}},
    {"deny":  {"addresses": ["private", "metadata", "192.0.2.0/24", "2001:db8::/32"]}}],
  "dlp":     [{"when": {"labels": ["personal", "pci"]}, "deny": {"hosts": ["**"], "except": ["broker.acme.example"]}},
              {"inspect": {"hosts": ["*.acme.example"]}, "ask": {"detect": ["credit-card", "private-key"], "types": ["xlsx", "docx"]}}],
  "posture": {"require": ["disk.encrypted", "edr.running", "firmware.secure-boot"], "max_age": "5m", "on_fail": "refuse-credentials"},
  "brokers": {"acme": {"audience": "https://broker.acme.example", "token_endpoint": "https://broker.acme.example/token",
              "challenge_endpoint": "https://broker.acme.example/challenge",
              "max_ttl": "15m", "resources": ["s3://company-data/reports/**"]}},
  "consent": {"timeout": "2m", "max_pending": 50, "lifespans": ["once", "session", "always"], "max_lifespan": "30d", "scripted": false},
  "limits":  {"memory": "4G", "processes": 512},
  "audit":   {"on_full": "end-session", "keep": "30d", "max_size": "2G", "sinks": ["file", "otlp", "syslog", "kafka"]},
  "rollout": {"share": 12.5, "groups": ["pilots"]},
  "unenforceable": "degrade"
}
)";

TEST(Document, ReadsTheHeader) {
    const auto document = parsed(kExample);
    EXPECT_EQ(document.file, "test.jsonc");
    EXPECT_EQ(document.id, "acme-desktop");
    EXPECT_EQ(document.version, 12U);
    EXPECT_THAT(document.extends, ElementsAre("vendor"));
    EXPECT_EQ(document.expires, 1'798'761'600);
    EXPECT_EQ(document.mode, Mode::enforce);
    EXPECT_EQ(document.unenforceable, Unenforceable::degrade);
}

TEST(Document, ReadsAgents) {
    const auto document = parsed(kExample);
    ASSERT_EQ(document.agents.size(), 1U);
    const auto& agent = document.agents.at("cowork");
    EXPECT_EQ(agent.executables.at(0).text, "/opt/cowork/bin/*");
    EXPECT_EQ(agent.workspaces.at(0).text, "${home}/Projects/**");
    EXPECT_EQ(agent.state.at(0).text, "${home}/.config/cowork/**");
    EXPECT_THAT(agent.environment, ElementsAre("LANG", "LC_*"));
    ASSERT_EQ(agent.trust.size(), 3U);
    EXPECT_EQ(agent.trust[0].package, "cowork");
    EXPECT_THAT(agent.trust[1].sha256,
                ElementsAre("9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"));
    EXPECT_TRUE(agent.trust[1].package.empty());
    EXPECT_EQ(agent.trust[2].signer, "certs/vendor.pem");
    EXPECT_EQ(agent.at.line, 5U);
    EXPECT_EQ(agent.at.column, 24U);
}

TEST(Document, ReadsFileRules) {
    const auto document = parsed(kExample);
    ASSERT_EQ(document.files.size(), 5U);
    const auto& first = document.files[0];
    EXPECT_EQ(first.verdict, Verdict::allow);
    EXPECT_EQ(first.named, bit(FileAction::read) | bit(FileAction::execute));
    EXPECT_EQ(first.actions, first.named | bit(FileAction::list));
    EXPECT_EQ(first.log, kLogExecutions);
    EXPECT_EQ(first.id, "");
    const auto& hooks = document.files[3];
    EXPECT_EQ(hooks.verdict, Verdict::deny);
    EXPECT_EQ(hooks.named, bit(FileAction::write));
    EXPECT_EQ(hooks.actions, bit(FileAction::write) | bit(FileAction::create) | bit(FileAction::remove) |
                                 bit(FileAction::rename) | bit(FileAction::link) |
                                 bit(FileAction::attributes));
    ASSERT_EQ(hooks.paths.size(), 2U);
    EXPECT_EQ(hooks.paths[1].text, "**/.mcp.json");
    EXPECT_EQ(hooks.except.at(0).text, "**/.git/hooks/*.sample");
    EXPECT_THAT(hooks.agents, ElementsAre("cowork"));
    EXPECT_EQ(hooks.reason, "runs later, outside the sandbox");
    EXPECT_EQ(hooks.at.line, 15U);
    EXPECT_EQ(hooks.at.column, 5U);
    EXPECT_EQ(hooks.paths[1].at.column, 56U);
    EXPECT_EQ(document.files[2].verdict, Verdict::ask);
    EXPECT_EQ(document.files[2].label, "personal");
    EXPECT_EQ(document.files[4].id, "secrets");
}

TEST(Document, ReadsNetworkRules) {
    const auto document = parsed(kExample);
    ASSERT_EQ(document.network.size(), 3U);
    const auto& allow = document.network[0];
    EXPECT_THAT(allow.target.hosts, ElementsAre("api.anthropic.com", "*.pypi.org"));
    EXPECT_EQ(allow.target.ports.at(0).first, 443);
    EXPECT_EQ(allow.target.ports.at(0).last, 443);
    const auto& ask = document.network[1];
    EXPECT_EQ(ask.verdict, Verdict::ask);
    EXPECT_THAT(ask.target.except, ElementsAre("api.anthropic.com"));
    EXPECT_EQ(ask.target.ports.at(1).first, 8000);
    EXPECT_EQ(ask.target.ports.at(1).last, 8100);
    const auto& deny = document.network[2].target.addresses;
    ASSERT_EQ(deny.size(), 4U);
    EXPECT_EQ(deny[0].kind, AddressClass::private_);
    EXPECT_EQ(deny[1].kind, AddressClass::metadata);
    EXPECT_EQ(deny[2].kind, std::nullopt);
    EXPECT_EQ(deny[2].prefix, 96U + 24U);
    EXPECT_EQ(deny[2].network, std::string("\0\0\0\0\0\0\0\0\0\0\xFF\xFF\xC0\0\x02\0", 16));
    EXPECT_EQ(deny[3].prefix, 32U);
    EXPECT_EQ(deny[3].network, std::string("\x20\x01\x0d\xb8\0\0\0\0\0\0\0\0\0\0\0\0", 16));
}

TEST(Document, ReadsDlpRules) {
    const auto document = parsed(kExample);
    ASSERT_EQ(document.dlp.size(), 2U);
    EXPECT_THAT(document.dlp[0].labels, ElementsAre("personal", "pci"));
    EXPECT_EQ(document.dlp[0].verdict, Verdict::deny);
    EXPECT_THAT(document.dlp[0].target.except, ElementsAre("broker.acme.example"));
    EXPECT_FALSE(document.dlp[0].inspect);
    EXPECT_EQ(document.dlp[1].verdict, Verdict::ask);
    EXPECT_THAT(document.dlp[1].inspect.value().hosts, ElementsAre("*.acme.example"));
    EXPECT_THAT(document.dlp[1].detect, ElementsAre("credit-card", "private-key"));
    EXPECT_THAT(document.dlp[1].types, ElementsAre("xlsx", "docx"));
}

TEST(Document, ReadsSettings) {
    const auto document = parsed(kExample);
    EXPECT_THAT(document.posture.require,
                ElementsAre("disk.encrypted", "edr.running", "firmware.secure-boot"));
    EXPECT_EQ(document.posture.max_age, 300s);
    EXPECT_EQ(document.posture.on_fail, OnFail::refuse_credentials);
    const auto& broker = document.brokers.at("acme");
    EXPECT_EQ(broker.audience, "https://broker.acme.example");
    EXPECT_EQ(broker.token_endpoint, "https://broker.acme.example/token");
    EXPECT_EQ(broker.challenge_endpoint, "https://broker.acme.example/challenge");
    EXPECT_EQ(broker.max_ttl, 900s);
    EXPECT_THAT(broker.resources, ElementsAre("s3://company-data/reports/**"));
    EXPECT_EQ(document.consent.timeout, 120s);
    EXPECT_EQ(document.consent.max_pending, 50U);
    EXPECT_THAT(document.consent.lifespans.value(), ElementsAre("once", "session", "always"));
    EXPECT_EQ(document.consent.max_lifespan, 30 * 24h);
    EXPECT_EQ(document.consent.scripted, false);
    EXPECT_EQ(document.limits.memory, 4ULL << 30);
    EXPECT_EQ(document.limits.processes, 512U);
    EXPECT_EQ(document.audit.on_full, OnFull::end_session);
    EXPECT_EQ(document.audit.keep, 30 * 24h);
    EXPECT_EQ(document.audit.max_size, 2ULL << 30);
    EXPECT_THAT(document.audit.sinks, ElementsAre("file", "otlp", "syslog", "kafka"));
    EXPECT_EQ(document.rollout.value().share, 12.5);
    EXPECT_THAT(document.rollout.value().groups, ElementsAre("pilots"));
}

TEST(Document, LeavesOutWhatIsNotThere) {
    const auto document = parsed(R"({"schema": "reeve.policy/1", "id": "vendor"})");
    EXPECT_EQ(document.version, 1U);
    EXPECT_FALSE(document.expires);
    EXPECT_FALSE(document.mode);
    EXPECT_FALSE(document.unenforceable);
    EXPECT_FALSE(document.rollout);
    EXPECT_FALSE(document.consent.scripted);
    EXPECT_FALSE(document.limits.memory);
    EXPECT_FALSE(document.audit.on_full);
    EXPECT_FALSE(document.posture.on_fail);
    EXPECT_TRUE(document.files.empty());
}

TEST(Document, NamesItsActions) {
    for (std::size_t i = 0; i < kFileActions; ++i) {
        const auto action = static_cast<FileAction>(i);
        EXPECT_EQ(file_action(name_of(action)), action);
    }
    EXPECT_EQ(name_of(FileAction::remove), "delete");
    EXPECT_EQ(file_action("remove"), std::nullopt);
    EXPECT_EQ(file_action(""), std::nullopt);
    EXPECT_EQ(name_of(Verdict::ask), "ask");
}

TEST(Document, RefusesOtherSchemasAtOnce) {
    EXPECT_EQ(faults(R"({"schema": "reeve.policy/2", "id": "x", "filez": []})"),
              "f:1:12: expected \"reeve.policy/1\", found \"reeve.policy/2\"; this version of Reeve reads no "
              "other");
    EXPECT_EQ(
        faults("{}"),
        "f:1:1: a policy needs the key \"schema\"; start with {\"schema\": \"reeve.policy/1\", \"id\": …");
    EXPECT_THAT(faults("[]"), HasSubstr("expected a policy in { }, found a list"));
    EXPECT_THAT(faults(R"({"schema": 1})"), HasSubstr("expected \"reeve.policy/1\", found a number"));
}

}  // namespace
}  // namespace reeve::policy
