#include "daemon/egress/lookups.hpp"

#include "daemon/egress/address_text.hpp"
#include "tests/unit/daemon/egress/support.hpp"

namespace reeve::egress {
namespace {

using policy::Verdict;
using State = Addresses::State;

struct LookupsTest : testing::Test {
    std::unique_ptr<platform::EventLoop> loop = platform::EventLoop::create().value();
    policy::NetworkPolicy policy =
        policy_of({{Verdict::allow, {"api.example", "**.wide.example", "*.local", "localhost"}},
                   {Verdict::ask, {"asked.example"}},
                   {Verdict::deny, {"denied.example"}}});
    Names names;
    FakeResolver resolver;
    NameBudget budget{policy, 100};
    std::vector<Report> reported;
    LookupReports reports{*loop, [this](Report report) { reported.push_back(std::move(report)); }};
    std::uint64_t now = 1000;
    std::unique_ptr<Lookups> lookups = with(true);

    std::unique_ptr<Lookups> with(bool has_six) {
        return std::make_unique<Lookups>(
            Lookups::Parts{policy, names, resolver, budget, reports, [this] { return now += 5; }, has_six});
    }
    // "NXDOMAIN", or the addresses and names; "" while there is no answer.
    std::string ask(const DnsQuestion& question) {
        std::string said;
        lookups->answer(question, [&](const DnsAnswer& answer) { said = show(answer); });
        resolver.answer_all();
        return said;
    }
    std::string ask(std::string_view name, unsigned type = kA) { return ask(question(name, type)); }
    static std::string show(const DnsAnswer& answer) {
        if (answer.code != ResponseCode::no_error)
            return "code " + std::to_string(static_cast<int>(answer.code));
        std::string text = answer.pointer;
        for (const auto& one : answer.addresses) text += to_text(one);
        return text.empty() ? "nothing" : text;
    }
    Report last() {
        reports.flush();
        return reported.empty() ? Report{} : reported.back();
    }
};
constexpr auto kNoSuchName = "code 3";
constexpr auto kFailed = "code 2";
constexpr auto kRefused = "code 5";

TEST_F(LookupsTest, AnAllowedNameIsResolvedAndGetsASyntheticAddress) {
    resolver.knows("api.example", State::found, {address("192.88.98.7")}, {address("2606:4700::1")});
    EXPECT_EQ(ask("API.example"), "198.18.0.2");
    EXPECT_EQ(ask("api.example", kAaaa), "fd72:6565:7665::c612:2");
    EXPECT_EQ(resolver.asked, (std::vector<std::string>{"api.example", "api.example"}));
    const Report report = last();
    EXPECT_TRUE(report.lookup);
    EXPECT_EQ(report.outcome, Outcome::allowed);
    EXPECT_EQ(report.verdict, Verdict::allow);
    EXPECT_EQ(report.rule, "r0");
    EXPECT_EQ(report.host, "api.example");
    EXPECT_EQ(report.type, "AAAA");
    EXPECT_EQ(report.address, "fd72:6565:7665::c612:2");
    EXPECT_EQ(report.duration_ns, 5U);
}

TEST_F(LookupsTest, ANameHasTheFamiliesThatItHasOutside) {
    resolver.knows("api.example", State::found, {address("192.88.98.7")});
    EXPECT_EQ(ask("api.example", kAaaa), "nothing");
    EXPECT_EQ(last().address, "NODATA");
    resolver.knows("api.example", State::found, {}, {address("2606:4700::1")});
    EXPECT_EQ(ask("api.example"), "nothing");
    lookups = with(false);
    EXPECT_EQ(ask("api.example", kAaaa), "nothing");
}

TEST_F(LookupsTest, WhatIsNotThereOrNotToldIsSaid) {
    resolver.knows("api.example", State::no_such_name);
    EXPECT_EQ(ask("api.example"), kNoSuchName);
    EXPECT_EQ(last().outcome, Outcome::failed);
    EXPECT_EQ(last().address, "NXDOMAIN");
    resolver.knows("api.example", State::failed);
    EXPECT_EQ(ask("api.example"), kFailed);
    EXPECT_EQ(last().outcome, Outcome::failed);
    EXPECT_EQ(last().reason, "no route");
}

TEST_F(LookupsTest, NothingLeavesForANameThatIsDeniedOrAskedAbout) {
    for (const char* name : {"denied.example", "secret.evil.example"}) {
        EXPECT_EQ(ask(name), kNoSuchName);
        EXPECT_EQ(last().outcome, Outcome::denied);
        EXPECT_NE(last().reason + last().rule, "");
    }
    EXPECT_EQ(ask("denied.example", kTxt), kNoSuchName);
    EXPECT_EQ(ask("asked.example"), "198.18.0.2");
    EXPECT_EQ(last().verdict, Verdict::ask);
    EXPECT_EQ(ask("asked.example", kAaaa), "fd72:6565:7665::c612:2");
    EXPECT_TRUE(resolver.asked.empty());
}

TEST_F(LookupsTest, NothingLeavesForOtherTypes) {
    for (const unsigned type : {kTxt, kHttps, 64U, 255U, 5U, 15U, kPtr})
        EXPECT_EQ(ask("api.example", type), "nothing") << type;
    EXPECT_TRUE(resolver.asked.empty());
    EXPECT_EQ(last().address, "NODATA");
}

TEST_F(LookupsTest, SpecialNamesStayHere) {
    EXPECT_EQ(ask("localhost"), "127.0.0.1");
    EXPECT_EQ(ask("x.LOCALHOST", kAaaa), "::1");
    EXPECT_EQ(ask("localhost", kTxt), "nothing");
    for (const char* name : {"printer.local", "local", "x.onion", "x.invalid", "1.1.1.1.in-addr.arpa",
                             "1.ip6.arpa", "10.0.0.1", "2130706433", "0x7f.1", "a.1"}) {
        EXPECT_EQ(ask(name), kNoSuchName) << name;
        EXPECT_EQ(last().host, name);
        EXPECT_NE(last().reason, "");
    }
    EXPECT_EQ(ask(""), kRefused);
    EXPECT_EQ(ask("a b.wide.example"), kRefused);
    EXPECT_TRUE(resolver.asked.empty());
}

TEST_F(LookupsTest, ASyntheticAddressHasItsName) {
    EXPECT_EQ(ask("2.0.18.198.in-addr.arpa", kPtr), kNoSuchName);
    ask("asked.example");
    EXPECT_EQ(ask("2.0.18.198.in-addr.arpa", kPtr), "asked.example");
    EXPECT_EQ(ask("2.0.0.0.2.1.6.c.0.0.0.0.0.0.0.0.0.0.0.0.5.6.6.7.5.6.5.6.2.7.d.f.ip6.arpa", kPtr),
              "asked.example");
    EXPECT_EQ(ask("2.0.18.198.in-addr.arpa"), "nothing");
}

TEST_F(LookupsTest, ATunnelEnds) {
    EXPECT_EQ(ask("mzxw6ytboi5dgnrs.wide.example"), kFailed);  // 64 units; the resolver knows nothing
    EXPECT_EQ(ask("nzxw6ytboi5dgnrs.wide.example"), kRefused);
    EXPECT_EQ(last().outcome, Outcome::denied);
    EXPECT_EQ(last().reason, "too many names under wide.example");
    EXPECT_EQ(last().address, "REFUSED");
    EXPECT_EQ(ask("mzxw6ytboi5dgnrs.wide.example"), kFailed);
    EXPECT_EQ(ask("www.wide.example"), kFailed);
    EXPECT_EQ(resolver.asked.size(), 3U);
}

TEST_F(LookupsTest, OutstandingOnesAreBounded) {
    std::size_t answers = 0;
    const auto count = [&](const DnsAnswer&) { ++answers; };
    for (int i = 0; i < 256; ++i) lookups->answer(question("api.example", kA), count);
    EXPECT_EQ(answers, 0U);
    lookups->answer(question("api.example", kA), count);
    EXPECT_EQ(answers, 1U);
    EXPECT_EQ(last().address, "SERVFAIL");
    resolver.answer_all();
    EXPECT_EQ(answers, 257U);
    lookups->answer(question("api.example", kA), count);
    EXPECT_EQ(resolver.waiting.size(), 1U);
}

TEST_F(LookupsTest, NobodyIsAnsweredAfterItsEnd) {
    bool answered = false;
    lookups->answer(question("api.example", kA), [&](const DnsAnswer&) { answered = true; });
    lookups.reset();
    resolver.answer_all();
    EXPECT_FALSE(answered);
}

TEST_F(LookupsTest, NoMoreAddressesIsAFailure) {
    Names few(0);
    Lookups some(Lookups::Parts{policy, few, resolver, budget, reports, [] { return 0; }});
    std::string said;
    some.answer(question("asked.example", kA), [&](const DnsAnswer& answer) { said = show(answer); });
    EXPECT_EQ(said, kFailed);
    EXPECT_EQ(last().outcome, Outcome::failed);
}

}  // namespace
}  // namespace reeve::egress
