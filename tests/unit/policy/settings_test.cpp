// What the layers ask for together.
#include <gtest/gtest.h>

#include "tests/unit/policy/engine_support.hpp"

namespace reeve::policy {
namespace {

using namespace std::chrono_literals;

TEST(Settings, TheStrictestOfAllLayersCounts) {
    const auto policy = compiled({
        layer(Authority::vendor, "vendor",
              R"("mode": "observe", "unenforceable": "degrade", "expires": "2030-01-01T00:00:00Z",
            "limits": {"memory": "4G", "processes": 512, "upload": "1G"},
            "consent": {"timeout": "2m", "max_pending": 50, "lifespans": ["once", "session", "always"], "max_lifespan": "30d", "scripted": true},
            "audit": {"on_full": "keep-going", "keep": "30d", "max_size": "2G", "sinks": ["file"]},
            "posture": {"require": ["disk.encrypted"], "max_age": "5m", "on_fail": "refuse-credentials"})"),
        layer(Authority::user, "mine",
              R"("mode": "enforce", "unenforceable": "refuse", "expires": "2029-01-01T00:00:00Z",
            "limits": {"memory": "8G", "processes": 100, "upload": "2G", "host_upload": "10M"},
            "consent": {"timeout": "1m", "max_pending": 60, "lifespans": ["once", "time"], "max_lifespan": "1d", "scripted": false},
            "audit": {"on_full": "end-session", "keep": "10d", "max_size": "3G", "sinks": ["syslog", "file"]},
            "posture": {"require": ["edr.running", "disk.encrypted"], "max_age": "10m", "on_fail": "freeze"})"),
    });
    const auto& settings = policy.settings();
    EXPECT_EQ(settings.mode, Mode::enforce);
    EXPECT_EQ(policy.table().mode(), Mode::enforce);
    EXPECT_EQ(settings.unenforceable, Unenforceable::refuse);
    EXPECT_EQ(settings.expires, 1861920000);
    EXPECT_EQ(settings.limits.memory, std::uint64_t{4} << 30);
    EXPECT_EQ(settings.limits.processes, 100U);
    EXPECT_EQ(settings.limits.upload, std::uint64_t{1} << 30);
    EXPECT_EQ(settings.limits.host_upload, std::uint64_t{10} << 20);
    EXPECT_EQ(settings.consent.timeout, 60s);
    EXPECT_EQ(settings.consent.max_pending, 50U);
    EXPECT_EQ(settings.consent.max_lifespan, 24h);
    EXPECT_EQ(settings.consent.lifespans, std::vector<std::string>{"once"});
    EXPECT_EQ(settings.consent.scripted, false);
    EXPECT_EQ(settings.audit.on_full, OnFull::end_session);
    EXPECT_EQ(settings.audit.keep, 24h * 30) << "to keep more is stricter";
    EXPECT_EQ(settings.audit.max_size, std::uint64_t{3} << 30);
    EXPECT_EQ(settings.audit.sinks, (std::vector<std::string>{"file", "syslog"}));
    EXPECT_EQ(settings.posture.require, (std::vector<std::string>{"disk.encrypted", "edr.running"}));
    EXPECT_EQ(settings.posture.max_age, 5min);
    EXPECT_EQ(settings.posture.on_fail, OnFail::freeze);
}

// What the base layer does not say is strict, and no layer below can soften it.
TEST(Settings, WhatTheBaseLayerDoesNotNameIsStrict) {
    const auto policy = compiled({
        layer(Authority::vendor, "vendor", R"("files": [])"),
        layer(Authority::user, "mine",
              R"("mode": "observe", "unenforceable": "degrade", "consent": {"scripted": true},
            "audit": {"on_full": "keep-going"}, "posture": {"on_fail": "refuse-credentials"})"),
    });
    const auto& settings = policy.settings();
    EXPECT_EQ(settings.mode, Mode::enforce);
    EXPECT_EQ(settings.unenforceable, Unenforceable::refuse);
    EXPECT_EQ(settings.consent.scripted, false);
    EXPECT_EQ(settings.audit.on_full, OnFull::end_session);
    EXPECT_EQ(settings.posture.on_fail, OnFail::end_session);
}

TEST(Settings, ObserveHoldsWhereAllSayIt) {
    const auto policy =
        compiled({layer(Authority::vendor, "vendor", R"("mode": "observe", "unenforceable": "degrade")")});
    EXPECT_EQ(policy.settings().mode, Mode::observe);
    EXPECT_EQ(policy.table().mode(), Mode::observe);
    EXPECT_EQ(policy.settings().unenforceable, Unenforceable::degrade);
}

std::string broker(const std::string& audience, const std::string& more) {
    return R"("brokers": {"acme": {"audience": ")" + audience + "\"" + more + "}}";
}

TEST(Settings, ALayerBelowCanNarrowABrokerAndNoMore) {
    const auto base = layer(Authority::organisation, "acme",
                            broker("https://b.example", R"(, "max_ttl": "15m", "resources": ["s3://a/**"])"));
    const auto narrow =
        layer(Authority::user, "mine",
              broker("https://b.example", R"(, "max_ttl": "5m", "resources": ["s3://a/b/**", "s3://c/**"])"));
    const auto policy = compiled({base, narrow});
    ASSERT_EQ(policy.settings().brokers.count("acme"), 1U);
    const auto& merged = policy.settings().brokers.at("acme");
    EXPECT_EQ(merged.broker.max_ttl, 5min);
    EXPECT_EQ(merged.resources,
              (std::vector<std::vector<std::string>>{{"s3://a/**"}, {"s3://a/b/**", "s3://c/**"}}));

    const auto elsewhere = layer(Authority::user, "mine", broker("https://evil.example", ""));
    EXPECT_NE(compile_faults({base, elsewhere}).find("another audience or endpoint"), std::string::npos);
    const auto unknown = compiled({layer(Authority::organisation, "acme", "\"files\": []"), elsewhere});
    EXPECT_TRUE(unknown.settings().brokers.empty()) << "evidence goes where the base layer says";
    EXPECT_EQ(unknown.warnings().size(), 1U);
}

TEST(Settings, AnAgentsEnvironmentAndTrustComeFromAbove) {
    const auto base = layer(Authority::organisation, "acme", R"("agents": {"a": {"executables": ["/a"],
        "environment": ["ANTHROPIC_*", "TERM"], "trust": {"any": [{"package": "a"}]}}})");
    const auto below = layer(Authority::user, "mine", R"("agents": {"a": {"executables": ["/a"],
        "environment": ["ANTHROPIC_API_KEY", "SECRET", "T*"], "trust": {"any": [{"package": "b"}]}}})");
    const auto policy = compiled({base, below}, "a");
    EXPECT_EQ(policy.settings().environment, (std::vector<std::string>{"ANTHROPIC_API_KEY", "TERM"}));
    ASSERT_EQ(policy.settings().trust.size(), 1U);
    EXPECT_EQ(policy.settings().trust[0].package, "a");
    EXPECT_EQ(policy.warnings().size(), 1U);
    const auto alone = compiled({layer(Authority::organisation, "acme", "\"files\": []"), below}, "a");
    EXPECT_TRUE(alone.settings().environment.empty());
}

TEST(Settings, DlpAndNetworkRulesAreThoseOfTheAgent) {
    const auto policy =
        compiled({layer(Authority::vendor, "vendor", R"("agents": {"a": {"executables": ["/a"]}},
        "network": [{"allow": {"hosts": ["x.example"], "ports": [443]}}, {"allow": {"hosts": ["y.example"]}, "agents": ["a"]}],
        "dlp": [{"when": {"labels": ["pci"]}, "deny": {"hosts": ["**"]}, "agents": ["a"]},
                {"when": {"labels": ["pci"]}, "deny": {"hosts": ["**"]}}])")});
    ASSERT_EQ(policy.settings().dlp.size(), 1U);
    EXPECT_EQ(policy.settings().dlp[0].id, "vendor/dlp/1");
    ASSERT_EQ(policy.network().entries().size(), 1U);
    EXPECT_EQ(policy.network().entries()[0].id, "vendor/network/0");
    EXPECT_EQ(policy.decide_host("x.example", 443).verdict, Verdict::allow);
    EXPECT_EQ(policy.decide_host("y.example", 443).verdict, Verdict::deny);
}

}  // namespace
}  // namespace reeve::policy
