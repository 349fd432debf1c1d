#include "daemon/egress/dialer.hpp"

#include <array>
#include <optional>

#include "daemon/egress/address_text.hpp"
#include "tests/unit/daemon/egress/network.hpp"

namespace reeve::egress {
namespace {

using namespace test;
using policy::Verdict;
using policy::Verify;

class DialerTest : public testing::Test {
  protected:
    ~DialerTest() override {
        loop_.on([this] { dial_.reset(); });
    }
    void allow(std::vector<policy::NetworkPolicy::Entry> rules) {
        policy_ = policy::NetworkPolicy(std::move(rules), policy::Authority::vendor);
    }
    void dial(Target target) {
        loop_.on([&] {
            dial_ = std::make_unique<Dial>(outside_, std::move(target),
                                           [this](auto outcome) { outcome_ = std::move(outcome); });
        });
    }
    std::expected<Dialled, NotDialled>& outcome() {
        EXPECT_TRUE(loop_.until([this] { return outcome_.has_value(); }));
        return *outcome_;
    }
    std::string dialled_address() {
        auto& got = outcome();
        return got ? to_text(got->address) : "not: " + got.error().reason;
    }

    LoopThread loop_;
    policy::NetworkPolicy policy_{{rule(Verdict::allow, {"**"})}, policy::Authority::vendor};
    ScriptedResolver resolver_{loop_.loop()};
    Outside outside_{.loop = loop_.loop(),
                     .policy = policy_,
                     .resolver = resolver_,
                     .next_after = std::chrono::milliseconds(10)};
    std::unique_ptr<Dial> dial_;
    std::optional<std::expected<Dialled, NotDialled>> outcome_;
};

TEST_F(DialerTest, SixComesFirst) {
    const Listener six("::1");
    if (!six.good()) GTEST_SKIP() << "no IPv6 here";
    const Listener four("127.0.0.1", six.port());
    outside_.next_after = std::chrono::milliseconds(60'000);
    resolver_.found("a.example", {"127.0.0.1", "::1"});
    dial({.host = "a.example", .port = six.port()});
    EXPECT_EQ(dialled_address(), "::1");
    EXPECT_TRUE(six.accept());
    EXPECT_FALSE(four.good() && four.somebody_waits());
}

TEST_F(DialerTest, OneThatIsRefusedMakesRoomForTheNextAtOnce) {
    const Listener four;
    outside_.next_after = std::chrono::milliseconds(60'000);
    resolver_.found("a.example", {"::1", "127.0.0.1"});
    dial({.host = "a.example", .port = four.port()});
    EXPECT_EQ(dialled_address(), "127.0.0.1");
}

// A listener whose backlog is full lets the others wait.
struct Silent {
    Silent() {
        for (platform::Fd& fd : filling) {
            sockaddr_storage where;
            const socklen_t length = fill(listener.endpoint(), where);
            fd.reset(::socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
            (void)::connect(fd.get(), reinterpret_cast<sockaddr*>(&where), length);
        }
    }
    std::uint16_t port() const { return listener.port(); }
    const Listener listener{"127.0.0.2", 0, 0};
    std::array<platform::Fd, 4> filling;
};

TEST_F(DialerTest, OneThatDoesNotAnswerIsOvertaken) {
    const Silent silent;
    const Listener answers("127.0.0.3", silent.port());
    ASSERT_TRUE(answers.good());
    resolver_.found("a.example", {"127.0.0.2", "127.0.0.3"});
    dial({.host = "a.example", .port = silent.port()});
    EXPECT_EQ(dialled_address(), "127.0.0.3");
}

TEST_F(DialerTest, NobodyAnswersIsSaidWithTheReason) {
    std::uint16_t port;
    {
        const Listener gone;
        port = gone.port();
    }
    resolver_.found("a.example", {"127.0.0.1"});
    dial({.host = "a.example", .port = port});
    ASSERT_FALSE(outcome());
    EXPECT_FALSE(outcome().error().by_policy);
    EXPECT_EQ(outcome().error().reason, "127.0.0.1: Connection refused");
}

TEST_F(DialerTest, AllInAllItHasADeadline) {
    outside_.dial_timeout = std::chrono::milliseconds(20);
    dial({.host = "never.example", .port = 443});
    ASSERT_FALSE(outcome());
    EXPECT_EQ(outcome().error().reason, "Connection timed out");
}

TEST_F(DialerTest, TheDeadlineSaysWhichAddressDidNotAnswer) {
    const Silent silent;
    outside_.dial_timeout = std::chrono::milliseconds(50);
    resolver_.found("a.example", {"127.0.0.2"});
    dial({.host = "a.example", .port = silent.port()});
    ASSERT_FALSE(outcome());
    EXPECT_EQ(outcome().error().address, "127.0.0.2");
    EXPECT_EQ(outcome().error().reason, "127.0.0.2: Connection timed out");
}

TEST_F(DialerTest, AddressesThatPolicyRefusesAreNotTried) {
    const Listener inside;
    allow({rule(Verdict::allow, {"**"}, Verify::name, false)});  // public ones
    resolver_.found("rebind.example",
                    {"127.0.0.1", "169.254.169.254", "10.0.0.1", "::ffff:127.0.0.1", "64:ff9b::7f00:1"});
    dial({.host = "rebind.example", .port = inside.port()});
    ASSERT_FALSE(outcome());
    EXPECT_TRUE(outcome().error().by_policy);
    EXPECT_EQ(outcome().error().decision.verdict, Verdict::deny);
    EXPECT_FALSE(inside.somebody_waits());
}

TEST_F(DialerTest, OwnAddressesAreRefusedUnlessPolicyNamesThem) {
    const Listener inside;
    auto to_loopback = rule(Verdict::allow, {"**"});
    to_loopback.rule.target.addresses = {{policy::AddressClass::public_, {}, 0}};
    allow({to_loopback});
    outside_.own = [] { return std::vector{address("203.0.113.7")}; };
    resolver_.found("a.example", {"203.0.113.7"});
    dial({.host = "a.example", .port = inside.port()});
    ASSERT_FALSE(outcome());
    EXPECT_TRUE(outcome().error().by_policy);
}

TEST_F(DialerTest, WithoutKnowingTheOwnAddressesNothingIsDialled) {
    const Listener inside;
    outside_.own = []() -> platform::Result<std::vector<policy::Address>> {
        return platform::error("list the addresses", "", "not today");
    };
    resolver_.found("a.example", {"127.0.0.1"});
    dial({.host = "a.example", .port = inside.port()});
    EXPECT_FALSE(outcome());
    EXPECT_FALSE(inside.somebody_waits());
}

TEST_F(DialerTest, AnAskNeedsConsent) {
    const Listener inside;
    allow({rule(Verdict::ask, {"**"})});
    resolver_.found("a.example", {"127.0.0.1"});
    dial({.host = "a.example", .port = inside.port()});
    ASSERT_FALSE(outcome());
    outcome_.reset();
    dial({.host = "a.example", .port = inside.port(), .consent = Consent::given});
    EXPECT_EQ(dialled_address(), "127.0.0.1");
}

TEST_F(DialerTest, ALiteralIsNotResolved) {
    const Listener inside;
    dial({.host = "127.0.0.1", .port = inside.port(), .literal = address("127.0.0.1")});
    EXPECT_EQ(dialled_address(), "127.0.0.1");
    EXPECT_TRUE(resolver_.asked.empty());
}

TEST_F(DialerTest, WordsForNamesWithoutAddress) {
    resolver_.answers["none.example"].state = Addresses::State::no_such_name;
    resolver_.answers["broken.example"].why = "SERVFAIL";
    resolver_.found("empty.example", {});
    for (const auto& [host, reason] :
         std::map<std::string, std::string>{{"none.example", "there is no such name"},
                                            {"broken.example", "the name could not be resolved: SERVFAIL"},
                                            {"empty.example", "the name has no address"}}) {
        outcome_.reset();
        dial({.host = host, .port = 443});
        ASSERT_FALSE(outcome());
        EXPECT_EQ(outcome().error().reason, reason);
    }
}

TEST_F(DialerTest, OneThatIsGivenUpSaysNothing) {
    const Listener inside;
    resolver_.found("a.example", {"127.0.0.1"});
    loop_.on([&] {
        dial_ = std::make_unique<Dial>(outside_, Target{.host = "a.example", .port = inside.port()},
                                       [this](auto outcome) { outcome_ = std::move(outcome); });
        dial_.reset();
    });
    loop_.on([] {});
    EXPECT_FALSE(outcome_.has_value());
}

}  // namespace
}  // namespace reeve::egress
